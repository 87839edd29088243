/** Host and port as one text (RFC 3986, section 3.2): `192.168.1.20:7421`, `[fe80::1%eth0]:7421`. */
export const authority = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
