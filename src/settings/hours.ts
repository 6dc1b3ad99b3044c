/** A span of the local day, in minutes after midnight; it may pass midnight. Equal ends mean the whole day. */
export interface Hours {
  fromMinute: number
  toMinute: number
}

/** 0 when it is open. Local dates do the arithmetic, so days of 23 and 25 hours come out right. */
export function msUntilOpen(hours: Hours, now: Date): number {
  const { fromMinute, toMinute } = hours
  const minute = now.getHours() * 60 + now.getMinutes()
  const isOpen =
    fromMinute < toMinute
      ? minute >= fromMinute && minute < toMinute
      : minute >= fromMinute || minute < toMinute
  if (isOpen) return 0
  // Tomorrow, when today's opening has passed. In spring the opening itself may be skipped: Date then gives
  // the time that a clock shows instead.
  const opening = (days: number) =>
    new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, 0, fromMinute).getTime() - now.getTime()
  return opening(0) > 0 ? opening(0) : opening(1)
}
