/** Where an engine listens as a rule, the ones without rights of root first. Pure. */
export const usualSockets = (user: number | undefined): readonly string[] => [
  ...(user === undefined ? [] : [`/run/user/${user}/podman/podman.sock`, `/run/user/${user}/docker.sock`]),
  '/run/podman/podman.sock',
  '/var/run/docker.sock',
]
