# Sourced by bin/loqa and bin/loqa-node with $root set. Sets $node (a Node.js of version 24 or later), $main (the program, bundled
# or as source) and $node_flags; keeps compiled code in the user's cache, so that commands start faster.

new_enough() {
  [ -x "$1" ] || return 1
  version=$("$1" --version 2>/dev/null) || return 1
  major=${version#v}
  major=${major%%.*}
  case $major in
    '' | *[!0-9]*) return 1 ;;
  esac
  [ "$major" -ge 24 ]
}

# The one that npm installed for this program is new enough by its version range; asking it would cost 40 ms.
if [ -x "$root/node_modules/.bin/node" ]; then
  node=$root/node_modules/.bin/node
else
  node=$(command -v node || true)
  new_enough "$node" || node=
fi
if [ -z "$node" ]; then
  echo "loqa needs Node.js 24 or later; found $(node --version 2>/dev/null || echo none)." >&2
  echo "In a clone run: npm ci (it brings one). Otherwise see https://nodejs.org/download" >&2
  exit 1
fi

# The bundle, unless somebody changed a source or an installed package since it was made.
main=src/main.ts
if [ -f "$root/dist/main.js" ] &&
  [ -z "$(find "$root/src" "$root/sdk" "$root/package-lock.json" -newer "$root/dist/main.js" -print 2>/dev/null | head -n 1)" ]; then
  main=dist/main.js
fi
node_flags=--disable-warning=ExperimentalWarning

if [ -z "${NODE_COMPILE_CACHE:-}" ]; then
  NODE_COMPILE_CACHE=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/loqa/compiled
  export NODE_COMPILE_CACHE
fi
