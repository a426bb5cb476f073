#!/usr/bin/env bash
# Tries the packages as an administrator would: the deb in a bare Debian that is
# booted with systemd in a container, the rpm with rpm's own tools. What is done
# inside is in trial/. Usage: test-install.sh NFPM [--short]
#
# With --short only the way to the first order and back, and where no container
# can be booted it says so and succeeds: "make check" runs it.
#
# The Debian root is made once, from the mirror that apt uses here ($MIRROR and
# $SUITE choose others), and never changed: each run has a layer of its own.
set -euo pipefail

nfpm=$(realpath -m "$1")
length=${2:---full}
here=$(dirname "$(realpath "$0")")
cd "$here/../.."
tools=$PWD/.tools
wanted=(redis-server logrotate ca-certificates rpm) # what is installed later
root=$tools/rootfs-${SUITE:=bookworm}-${#wanted[@]}
share=$tools/trial
arch=$(go env GOARCH)

cannot() { # WHY
  echo "SKIPPED: the packages were not tried under a booted systemd: $1"
  [ "$length" = --short ] && exit 0 || exit 1
}

# need installs what is missing where nobody has to be asked.
need() { # PROGRAM PACKAGE
  command -v "$1" >/dev/null && return
  command -v apt-get >/dev/null || cannot "$2 is not installed"
  { apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o DPkg::Lock::Timeout=300 --no-install-recommends "$2"; } >/dev/null 2>&1 ||
    cannot "$2 is not installed, and cannot be"
}

# make_root makes a Debian without Redis and orderq. What "apt-get install" will
# want is beside it as a small archive, for there is no network inside.
make_root() {
  need mmdebstrap mmdebstrap
  local mirror new=$root.new
  mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 'debian/$' || true)}
  rm -rf "$new"
  echo "making a Debian root ($SUITE), once"
  mmdebstrap --quiet --variant=minbase \
    --include=systemd,systemd-sysv,dbus,iproute2,procps,curl,dpkg-dev \
    --customize-hook='chroot "$1" apt-get clean' \
    --customize-hook="chroot \"\$1\" apt-get install -qq -y --download-only ${wanted[*]} >/dev/null" \
    --customize-hook='mkdir "$1/opt/archive" && cp "$1"/var/cache/apt/archives/*.deb "$1/opt/archive/"' \
    --customize-hook='chroot "$1" sh -c "cd /opt/archive && dpkg-scanpackages . >Packages 2>/dev/null"' \
    --customize-hook='echo "deb [trusted=yes] file:/opt/archive ./" >"$1/etc/apt/sources.list"' \
    "$SUITE" "$new" ${mirror:+"$mirror"} >/dev/null 2>"$root.log" ||
    { rm -rf "$new"; cannot "no Debian root can be made; see $root.log"; }
  mv "$new" "$root"
}

# packages builds what is installed: the version under test and, for the way
# back, one that is older by its number.
packages() {
  local version format
  version=$(git describe --tags --always 2>/dev/null || echo unknown)
  [ -x "$nfpm" ] || make --no-print-directory "$nfpm"
  rm -rf "$share"
  mkdir -p "$share"
  CGO_ENABLED=0 go build -o "$share/trial" ./deploy/package/trial
  cp "$here"/trial/*.sh docs/install.md "$share/"
  for format in deb rpm; do
    build "$version" $format orderq
    [ "$length" = --short ] && return
    build 0.0.1 $format orderq-old
  done
}

build() { # VERSION FORMAT NAME
  OUT=$share/new bash "$here/build.sh" "$nfpm" "$1" "$2-$arch" 2>"$share.build" || { cat "$share.build"; exit 1; }
  mv "$share"/new/orderq?*."$2" "$share/$3.$2"
}

# own_group moves this script into control groups of its own where no systemd
# runs that would give the container some.
own_group() {
  local base name=orderq-trial-$$
  for base in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
    [ -e "$base/cgroup.procs" ] || continue
    { mkdir -p "$base/$name" && echo $$ >"$base/$name/cgroup.procs"; } 2>/dev/null || cannot "no control groups can be made here"
    groups+=("$base/$name")
  done
}

leave_group() {
  local group
  for group in "${groups[@]}"; do
    echo $$ >"$(dirname "$group")/cgroup.procs"
    find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done
}

# boot starts the container and waits until systemd is done with starting.
boot() {
  local options=(--quiet --register=no --volatile=overlay --private-network --console=pipe)
  if [ ! -d /run/systemd/system ]; then
    options+=(--keep-unit)
    own_group
  fi
  systemd-nspawn "${options[@]}" --bind-ro="$share:/trial" --directory="$root" --boot </dev/null >"$share.console" 2>&1 &
  container=$!
  local try state=
  for try in $(seq 300); do
    init=$(pgrep -P "$container" | head -n 1 || true)
    [ -z "$init" ] || state=$(inside systemctl is-system-running 2>/dev/null || true)
    case $state in running | degraded) return ;; esac
    sleep 0.1
  done
  cannot "no container boots here; see $share.console"
}

inside() { nsenter -t "$init" -m -u -i -n -p -C -- "$@"; }

end() {
  if [ -n "$container" ]; then
    [ -z "$init" ] || inside systemctl poweroff --force 2>/dev/null || true
    for _ in $(seq 50); do
      kill -0 "$container" 2>/dev/null || break
      sleep 0.1
    done
    kill "$container" 2>/dev/null || true
    wait "$container" 2>/dev/null || true
  fi
  leave_group
}

groups=() container='' init=''
trap end EXIT
[ "$(id -u)" = 0 ] || cannot "it needs root"
unshare --mount --pid --net --uts --ipc --fork true 2>/dev/null || cannot "no namespaces can be made here"
need systemd-nspawn systemd-container
[ -d "$root" ] || make_root
packages
boot
inside env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 bash /trial/inside.sh "$length"
