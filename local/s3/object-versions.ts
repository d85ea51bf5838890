import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { S3Error } from './error.ts';

// fauxqs 2.4.1 keeps no object versions, and the product pins, lists and deletes them, so the objects are kept here:
// their bytes as one file per version, everything else in one SQLite file. An object exists from the moment its row is
// committed, and the event that tells of it is in the same transaction: a kill loses both or neither.

/** One version of an object, or a delete marker. */
export interface ObjectVersion {
  bucket: string;
  key: string;
  versionId: string;
  isLatest: boolean;
  deleteMarker: boolean;
  size: number;
  etag: string;
  lastModified: string;
  /** What GET and HEAD give back: content type, user metadata, checksums. */
  headers: Record<string, string>;
  sequencer: string;
}

export interface NewObject {
  bucket: string;
  key: string;
  body: Buffer;
  headers: Record<string, string>;
  versioned: boolean;
  /** Fails with 412 when the object exists; of two at once exactly one wins. */
  onlyIfAbsent: boolean;
  /** The event to be delivered for the new version, where the bucket sends events. */
  event: ((version: ObjectVersion) => unknown) | undefined;
}

export interface PendingEvent {
  id: number;
  event: unknown;
}

export interface ListPosition {
  prefix: string;
  afterKey: string;
  afterVersionId: string;
  limit: number;
}

export type ObjectVersions = ReturnType<typeof openObjectVersions>;

const schema = `
  CREATE TABLE IF NOT EXISTS versions (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket TEXT NOT NULL, key TEXT NOT NULL, version_id TEXT NOT NULL, delete_marker INTEGER NOT NULL,
    size INTEGER NOT NULL, etag TEXT NOT NULL, last_modified TEXT NOT NULL, headers TEXT NOT NULL, file TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS versions_by_key ON versions (bucket, key, sequence);
  CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL);
`;
// The newest row of a key is its latest version; LEAD finds the row that replaced a version, and so since when.
const selectVersions = `
  SELECT *, LEAD(last_modified) OVER (PARTITION BY bucket, key ORDER BY sequence) AS replaced_at FROM versions
`;

/** Opens the objects kept in a directory, and drops files that a kill left without a row. */
export function openObjectVersions(directory: string) {
  const files = path.join(directory, 'objects');
  mkdirSync(files, { recursive: true });
  const database = new DatabaseSync(path.join(directory, 'objects.db'));
  // Without syncing every commit: what has to be survived is a killed process, not a power cut.
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; ${schema}`);
  const query = (sql: string, ...values: SQLInputValue[]) => database.prepare(sql).all(...values) as unknown as Row[];
  const change = (sql: string, ...values: SQLInputValue[]) => database.prepare(sql).run(...values);

  const known = new Set(query('SELECT file FROM versions').map(({ file }) => file));
  const orphans = readdirSync(files).filter((file) => !known.has(file));
  void Promise.all(orphans.map((file) => rm(path.join(files, file), { force: true })));

  const latest = (bucket: string, key: string) =>
    query(`SELECT * FROM (${selectVersions} WHERE bucket = ? AND key = ?) WHERE replaced_at IS NULL`, bucket, key)[0];
  const exact = (bucket: string, key: string, versionId: string) =>
    query(
      `SELECT * FROM (${selectVersions} WHERE bucket = ? AND key = ?) WHERE version_id = ?`,
      bucket,
      key,
      versionId,
    )[0];

  const dropRow = async ({ sequence, file }: Row) => {
    change('DELETE FROM versions WHERE sequence = ?', sequence);
    if (file) await rm(path.join(files, file), { force: true });
  };

  const insert = (row: Omit<Row, 'sequence' | 'replaced_at'>): ObjectVersion => {
    const { lastInsertRowid } = change(
      `INSERT INTO versions (bucket, key, version_id, delete_marker, size, etag, last_modified, headers, file)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      row.bucket,
      row.key,
      row.version_id,
      row.delete_marker,
      row.size,
      row.etag,
      row.last_modified,
      row.headers,
      row.file,
    );
    return versionOf({ ...row, sequence: Number(lastInsertRowid), replaced_at: null });
  };

  const addDeleteMarker = (bucket: string, key: string) =>
    insert({
      bucket,
      key,
      version_id: newVersionId(),
      delete_marker: 1,
      size: 0,
      etag: '',
      last_modified: new Date().toISOString(),
      headers: '{}',
      file: '',
    });

  return {
    async put(object: NewObject): Promise<ObjectVersion> {
      const { bucket, key, body } = object;
      const file = randomBytes(16).toString('hex');
      await writeFile(path.join(files, file), body);
      // From here to COMMIT nothing awaits, so twins cannot both find the key free.
      const before = latest(bucket, key);
      if (object.onlyIfAbsent && before && !before.delete_marker) {
        await rm(path.join(files, file), { force: true });
        const message = 'At least one of the pre-conditions you specified did not hold';
        throw new S3Error(412, 'PreconditionFailed', message);
      }
      database.exec('BEGIN');
      const version = insert({
        bucket,
        key,
        version_id: object.versioned ? newVersionId() : 'null',
        delete_marker: 0,
        size: body.length,
        etag: createHash('md5').update(body).digest('hex'),
        last_modified: new Date().toISOString(),
        headers: JSON.stringify(object.headers),
        file,
      });
      if (object.event) change('INSERT INTO events (event) VALUES (?)', JSON.stringify(object.event(version)));
      database.exec('COMMIT');
      if (!object.versioned && before) await dropRow(before);
      return version;
    },

    /** The version asked for, or the latest, which may be a delete marker. */
    find(bucket: string, key: string, versionId?: string): ObjectVersion | undefined {
      const row = versionId === undefined ? latest(bucket, key) : exact(bucket, key, versionId);
      return row && versionOf(row);
    },

    async read({ bucket, key, versionId }: ObjectVersion): Promise<Buffer> {
      const row = exact(bucket, key, versionId);
      if (!row) throw new S3Error(404, 'NoSuchKey', 'The specified key does not exist.');
      return readFile(path.join(files, row.file));
    },

    /** Removes one version for good; without a version id it hides a versioned object behind a delete marker. */
    async remove(bucket: string, key: string, versionId: string | undefined, versioned: boolean) {
      if (versionId === undefined && versioned) return addDeleteMarker(bucket, key);
      const row = versionId === undefined ? latest(bucket, key) : exact(bucket, key, versionId);
      if (row) await dropRow(row);
      return row && versionOf(row);
    },

    /** Versions in S3's order: by key, newest first. */
    list(bucket: string, { prefix, afterKey, afterVersionId, limit }: ListPosition): ObjectVersion[] {
      const after = afterVersionId ? exact(bucket, afterKey, afterVersionId)?.sequence : undefined;
      const rows = query(
        `SELECT * FROM (${selectVersions} WHERE bucket = ?1) WHERE substr(key, 1, length(?2)) = ?2
         AND (key > ?3 OR (key = ?3 AND sequence < ?4)) ORDER BY key, sequence DESC LIMIT ?5`,
        bucket,
        prefix,
        afterKey,
        after ?? 0,
        limit,
      );
      return rows.map(versionOf);
    },

    pendingEvents(): PendingEvent[] {
      const rows = database.prepare('SELECT id, event FROM events ORDER BY id LIMIT 100').all();
      return rows.map(({ id, event }) => ({ id: Number(id), event: JSON.parse(String(event)) }));
    },

    eventDelivered(id: number): void {
      change('DELETE FROM events WHERE id = ?', id);
    },

    /** What the bucket's lifecycle rules do once a day: latest versions are hidden, replaced ones are removed. */
    async expire(bucket: string, prefix: string, versioned: boolean, days: { current?: number; replaced?: number }) {
      const ago = (count: number) => new Date(Date.now() - count * 86_400_000).toISOString();
      const matching = `SELECT * FROM (${selectVersions} WHERE bucket = ?1) WHERE substr(key, 1, length(?2)) = ?2`;
      if (days.replaced !== undefined) {
        for (const row of query(`${matching} AND replaced_at < ?3`, bucket, prefix, ago(days.replaced)))
          await dropRow(row);
      }
      if (days.current === undefined) return;
      const due = `${matching} AND replaced_at IS NULL AND last_modified < ?3`;
      for (const row of query(due, bucket, prefix, ago(days.current))) {
        const alone = query('SELECT sequence FROM versions WHERE bucket = ? AND key = ?', bucket, row.key).length === 1;
        if (!versioned || (row.delete_marker && alone)) await dropRow(row);
        else if (!row.delete_marker) addDeleteMarker(bucket, row.key);
      }
    },

    close(): void {
      database.close();
    },
  };
}

interface Row {
  sequence: number;
  bucket: string;
  key: string;
  version_id: string;
  delete_marker: number;
  size: number;
  etag: string;
  last_modified: string;
  headers: string;
  file: string;
  replaced_at: string | null;
}

function versionOf(row: Row): ObjectVersion {
  return {
    bucket: row.bucket,
    key: row.key,
    versionId: row.version_id,
    isLatest: row.replaced_at === null,
    deleteMarker: Boolean(row.delete_marker),
    size: row.size,
    etag: row.etag,
    lastModified: row.last_modified,
    headers: JSON.parse(row.headers),
    sequencer: row.sequence.toString(16).toUpperCase().padStart(18, '0'),
  };
}

function newVersionId(): string {
  return randomBytes(24).toString('base64url');
}
