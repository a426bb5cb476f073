#!/usr/bin/env bash
# Gets promtool, prometheus, alertmanager and amtool from Debian's packages into
# a folder, without installing or starting anything. Usage: fetch.sh FOLDER
set -euo pipefail

dest=$1
if [ -x "$dest/bin/promtool" ] && [ -x "$dest/bin/prometheus" ] && [ -x "$dest/bin/alertmanager" ] && [ -x "$dest/bin/amtool" ]; then
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  echo "get promtool, prometheus, alertmanager and amtool (2.42 and 0.25, or later) and put them into $dest/bin" >&2
  exit 1
fi
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
chmod 755 "$temp" # apt-get reads and writes it as another user
cd "$temp"
get() { apt-get download -qq -o APT::Sandbox::User=root prometheus prometheus-alertmanager; }
if ! get 2>/dev/null; then # a bare machine has no lists of packages yet
  root=()
  [ "$(id -u)" = 0 ] || root=(sudo)
  "${root[@]}" apt-get update -qq -o DPkg::Lock::Timeout=300
  get
fi
for package in ./*.deb; do
  dpkg -x "$package" all
done
mkdir -p "$dest/bin"
install all/usr/bin/promtool all/usr/bin/prometheus all/usr/bin/amtool "$dest/bin/"
# Debian's alertmanager reads its templates where the package puts them. Here it
# shall read those of its working directory: a path that is as long, and relative.
there=/usr/share/prometheus/alertmanager
here=./././././././././././././././././
[ ${#there} = ${#here} ]
LC_ALL=C sed "s#$there#$here#g" all/usr/bin/prometheus-alertmanager >alertmanager
install alertmanager "$dest/bin/"
install -m 644 all"$there"/*.tmpl "$dest/bin/"
