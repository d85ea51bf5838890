/** Lines that some runs have and others have not, though nothing was changed. Keep it short: each one hides something. */
export const byChance: readonly { readonly pattern: RegExp; readonly why: string }[] = [
  {
    pattern: /"tenant":"killed"|bf_killed_/,
    why: 'A vendor dies while eight verifications of this tenant are under way: how far each one is by then is chance.',
  },
  {
    pattern: /^vendors sqs SendMessage bonafide-providers-onesmartlab-queue \{"sequence":[3-5]/,
    why: 'Messages of the same verifications; those of all others have the sequence 2 or 6.',
  },
  {
    pattern: /^vendors sqs SendMessage bonafide-providers-spoofsense-queue \{"sequence":4/,
    why: 'A retry is delayed with full jitter, which may be by 0 seconds; the line that says `delayed` stays.',
  },
  {
    pattern: /http GET \/verifications\/\S+ 200 .*"state":"(queued|dispatched)"/,
    why: 'A read between two moves of a verification that is under way.',
  },
  {
    pattern: /http GET \/verifications\/journey.sandbox-fault-\S+ 200 .*"state":"awaiting_captures"/,
    why: 'The same: this verification is polled as soon as its captures are uploaded.',
  },
  {
    pattern: /dynamodb Query bonafide-records-verifications .*"index":"by_due"/,
    why: 'The sweep runs once a minute: only a suite that takes longer sees it.',
  },
];
