/** Part of an address. */
export const SESSION_NAME = /^[A-Za-z0-9_.:~-]{1,64}$/
