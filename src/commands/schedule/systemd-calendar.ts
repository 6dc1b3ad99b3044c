import type { CronField, CronTime } from '../../settings/cron-time.js'

const weekdayNames = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

/** The values of `OnCalendar=`. Where cron wants the day or the weekday, systemd would want both: that makes two. */
export function onCalendar({ minutes, hours, days, months, weekdays }: CronTime): string[] {
  const at = (weekday: string, day: CronField) =>
    `${weekday}*-${list(months)}-${list(day)} ${list(hours)}:${list(minutes)}:00`
  const byDay = at('', days)
  if (weekdays === null) return [byDay]
  const byWeekday = at(`${weekdays.map((weekday) => weekdayNames[weekday]).join(',')} `, null)
  return days === null ? [byWeekday] : [byDay, byWeekday]
}

function list(values: CronField): string {
  return values?.map((value) => String(value).padStart(2, '0')).join(',') ?? '*'
}
