import { execFile } from 'node:child_process';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe } from 'vitest';
import { pythonEnvironment } from '../../../tools/python.ts';
import { layOut, receiverPrograms } from '../programs.ts';
import { receivesWebhooks } from '../receivers/receiver.ts';

const run = promisify(execFile);
let python: string;
beforeAll(async () => {
  const requirements = 'test/integrate/receivers/requirements.txt';
  python = join(await pythonEnvironment(resolve('build/integrate/receivers'), requirements), 'python');
});

describe('fastapi/server.py of docs/receive-webhooks.md', () => {
  receivesWebhooks({
    prepare: (directory) => layOut(directory, { 'server.py': 'fastapi/server.py' }, receiverPrograms),
    command: () => [python, '-m', 'uvicorn', 'server:app', '--port', 'PORT'],
  });
});

describe('the Django app of docs/receive-webhooks.md', () => {
  receivesWebhooks({
    prepare: async (directory) => {
      await run(python, ['-m', 'django', 'startproject', 'project', directory]);
      const files = {
        'webhooks/models.py': 'django/webhooks/models.py',
        'webhooks/views.py': 'django/webhooks/views.py',
        'webhooks/urls.py': 'django/webhooks/urls.py',
      };
      layOut(directory, files, receiverPrograms);
      writeFileSync(join(directory, 'webhooks/__init__.py'), '');
      const settings = [
        'INSTALLED_APPS += ["webhooks"]',
        'DATABASES["default"]["OPTIONS"] = {"transaction_mode": "IMMEDIATE"}',
      ];
      appendFileSync(join(directory, 'project/settings.py'), `${settings.join('\n')}\n`);
      const urls = ['from django.urls import include', 'urlpatterns += [path("", include("webhooks.urls"))]'];
      appendFileSync(join(directory, 'project/urls.py'), `${urls.join('\n')}\n`);
      const env = { ...process.env, BONAFIDE_WEBHOOK_SECRET: 'whsec_dW51c2Vk' };
      await run(python, ['manage.py', 'makemigrations', 'webhooks'], { cwd: directory, env });
      await run(python, ['manage.py', 'migrate'], { cwd: directory, env });
    },
    command: () => [python, 'manage.py', 'runserver', '--noreload', '127.0.0.1:PORT'],
  });
});

describe('php/hook.php of docs/receive-webhooks.md', () => {
  receivesWebhooks({
    prepare: (directory) => layOut(directory, { 'hook.php': 'php/hook.php' }, receiverPrograms),
    command: () => ['php', '-S', '127.0.0.1:PORT', 'hook.php'],
  });
});

describe('go/main.go of docs/receive-webhooks.md', () => {
  receivesWebhooks({
    prepare: async (directory) => {
      layOut(directory, { 'main.go': 'go/main.go' }, receiverPrograms);
      writeFileSync(join(directory, 'go.mod'), 'module receiver\n\ngo 1.19\n');
      await run('go', ['vet', '.'], { cwd: directory });
      await run('go', ['build', '-o', 'receiver', '.'], { cwd: directory });
    },
    command: () => ['./receiver'],
  });
});
