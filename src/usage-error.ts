/**
 * The run cannot start or go on, and the operator can fix it: the message says where, what is wrong and what to
 * do next, in one sentence or two. Ends with exit code 2 and no stack.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
