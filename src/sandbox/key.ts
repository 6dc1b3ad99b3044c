/** The key that is right unless another is chosen. By itself, so that who needs only the key need not load msw. */
export const sandboxKey = 'sandbox-key'
