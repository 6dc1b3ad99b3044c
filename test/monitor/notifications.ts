import type { Notification } from '../../src/monitor/notifier.js'

/** A run that goes on. */
export const going: Notification = {
  event: 'going',
  run: 'cleanup-2026-11-22T01-00-00',
  job: 'cleanup',
  instance: 'https://acme.ada.support',
  directory: '/srv/ada/runs/cleanup-2026-11-22T01-00-00',
  startedAt: '2026-11-22T01:00:00.000Z',
  finishedAt: null,
  exitCode: null,
  stoppedBecause: null,
  totals: {
    read: 1500,
    succeeded: 300,
    failed: 2,
    unknown: 0,
    invalid: 0,
    duplicate: 1,
    filtered: 0,
    left: 1197,
  },
  reasons: { duplicate: 1, ended: 300, not_found: 2 },
  requests: { sent: 310, rateLimited: 4 },
  checkpointHead: null,
  isBreakerOpen: false,
  host: 'batch-1',
  version: '0.1.0',
}

export const started: Notification = { ...going, event: 'started' }

export const finished: Notification = {
  ...going,
  event: 'finished',
  finishedAt: '2026-11-22T01:06:00.500Z',
  exitCode: 0,
  totals: {
    read: 1500,
    succeeded: 1499,
    failed: 0,
    unknown: 0,
    invalid: 0,
    duplicate: 1,
    filtered: 0,
    left: 0,
  },
  checkpointHead: 'f2ca1bb6c7e907d06dafe4687e579fce76b37e4e93b7605022da52e6ccc26fd2',
}

export const stopped: Notification = {
  ...going,
  event: 'stopped',
  finishedAt: '2026-11-22T01:06:00.500Z',
  exitCode: 4,
  stoppedBecause: '30 of 120 items failed (25 %), more than --max-failures 20% allows',
}

export const failedToStart: Notification = {
  ...going,
  event: 'failed-to-start',
  run: null,
  instance: null,
  directory: null,
  startedAt: null,
  finishedAt: '2026-11-23T01:00:00.000Z',
  exitCode: 2,
  stoppedBecause: 'no API key: set ADA_API_KEY.',
  totals: null,
  reasons: {},
  requests: { sent: 0, rateLimited: 0 },
}
