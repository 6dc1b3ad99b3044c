import { cutTail, damageText, leaveOutDamage, readWithDamage } from '../checkpoint/damage.js'
import type { RunDirectory } from '../checkpoint/directory.js'
import { type CheckpointState, readCheckpoint } from '../checkpoint/read.js'
import { UsageError } from '../system/errors.js'
import { openLog } from '../system/log.js'
import { counted } from '../system/text.js'

/**
 * Reads a checkpoint, and makes it whole before its run is resumed: cuts a damaged tail, and leaves out damaged lines in the middle only
 * where a person accepts that. Says so on the terminal and in the run's log.
 */
export async function mendCheckpoint(
  { log, checkpoint }: RunDirectory,
  isAccepted: boolean,
  notice: (text: string) => void,
): Promise<CheckpointState> {
  const { damage, state } = readWithDamage(checkpoint)
  if (damage === null) return state ?? readCheckpoint(checkpoint)
  const where = damageText(checkpoint, damage)
  const lines = counted(damage.damaged.size, 'damaged line')
  let text: string
  if (damage.isTail) {
    cutTail(checkpoint, damage)
    text = `${where}. Cut off: it was being written when the run died, and nothing follows it.`
  } else if (isAccepted) {
    const kept = await leaveOutDamage(checkpoint, damage)
    text = `${where}. Left out ${lines}, as --accept-damaged-record says; the damaged file is kept as ${kept}.`
  } else {
    throw new UsageError(
      `${where}. Nothing was called. Put the file back as it was, or go on from what is whole with --accept-damaged-record: it leaves out ${lines}, and may call their items again.`,
    )
  }
  notice(text)
  openLog({ path: log, level: 'warn' }).warn(text)
  return state ?? readCheckpoint(checkpoint)
}
