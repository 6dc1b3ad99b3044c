import type { RunListener } from '../checkpoint/events.js'
import { nameOf, type SettledItem } from '../item.js'
import type { Logger } from '../system/log.js'

/** Writes a run's events into run.log. */
export function runLog(log: Logger): RunListener {
  return {
    on(event, item) {
      if (event.event === 'settled') logSettled(event.settled)
      else if (event.event === 'call-returned' && item !== undefined) {
        const { reason, httpStatus: http, message } = event
        log.info({ id: nameOf(item), reason, http, message }, 'call came to nothing')
      } else if ('by' in event && !('settings' in event)) log.info(event, 'changed from outside')
    },
  }

  function logSettled(settled: SettledItem): void {
    const { id, status, reason, httpStatus: http, attempts, message, source, line } = settled
    if (status === 'failed' || status === 'unknown')
      log.warn({ id, status, reason, http, attempts, message, source, line }, 'item failed')
    else log.debug({ id, status, reason, http, attempts, source, line }, 'item settled')
  }
}
