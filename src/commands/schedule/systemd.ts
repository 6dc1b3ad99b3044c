import type { CronField, CronTime } from '../../settings/cron-time.js'
import { shellWord } from '../../system/text.js'
import { bringing, comments, keyFile, meaning, type Schedule, type Task } from './schedule.js'

/** A service and the timer that starts it. */
export const systemd: Schedule = {
  name: 'systemd',
  files: (task) => [
    { name: `${task.name}.service`, text: service(task) },
    { name: `${task.name}.timer`, text: timer(task) },
  ],
}

function service(task: Task): string {
  const { name, user, program, words, writes, stateDirectory, secrets, graceSeconds } = task
  const install = `sudo install -d -o ${shellWord(user)} -m 700 ${writes.map(shellWord).join(' ')}`
  return `${comments([
    `/etc/systemd/system/${name}.service, started by ${name}.timer. Before its first start:`,
    `  ${install}`,
    ...bringing(secrets, 'root only (0600)'),
    ...meaning,
  ])}
[Unit]
Description=Bulk job ${name}
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
User=${user}
ExecStart=${[...program, ...words].map((word) => quoted(word).replaceAll('$', '$$$$')).join(' ')}
Environment=${quoted(`ADA_BULK_STATE=${stateDirectory}`)}
${secrets.length === 0 ? '' : `EnvironmentFile=${keyFile}\n`}
# SIGTERM: calls in flight are finished and recorded.
KillSignal=SIGTERM
TimeoutStopSec=${graceSeconds}
# Stopped for now, by its own flags or by \`systemctl stop\`, is no failure.
SuccessExitStatus=75 130 143
# Killed from outside (out of memory, say): go on. Whatever it ended with itself waits for the timer or a person.
Restart=on-abnormal
RestartSec=60

UMask=0077
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=${writes.map(quoted).join(' ')}
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
`
}

function timer({ name, at }: Task): string {
  return `${comments([
    `/etc/systemd/system/${name}.timer. Then:`,
    `  sudo systemctl daemon-reload && sudo systemctl enable --now ${name}.timer`,
  ])}
[Unit]
Description=Starts ${name}

[Timer]
# In the host's time zone.
${onCalendar(at)
  .map((time) => `OnCalendar=${time}\n`)
  .join('')}# A start that was missed, as the host was off, is made up for.
Persistent=true

[Install]
WantedBy=timers.target
`
}

/** systemd's own quotes, and % is a specifier's first letter. */
function quoted(word: string): string {
  const escaped = word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')
  return /^[\w./:=@%+,-]+$/.test(escaped) ? escaped : `"${escaped}"`
}

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
