#!/usr/bin/env bash
# Makes the deb and the rpm for amd64 and arm64 in dist/ (or $OUT), the same bytes
# every time. Usage: build.sh NFPM VERSION [FORMAT-ARCH ...], such as deb-amd64
set -euo pipefail

nfpm=$(realpath "$1")
wanted=("${@:3}")
[ ${#wanted[@]} -gt 0 ] || wanted=(deb-amd64 rpm-amd64 deb-arm64 rpm-arm64)
cd "$(dirname "$(realpath "$0")")/../.."
umask 022
export LC_ALL=C TZ=UTC
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

# package_version turns what git describes into a version that dpkg and rpm
# order rightly; a tree without a tag comes before 0.1.0.
package_version() {
  local v=${1#v}
  if [[ ! $v =~ ^[0-9]+\.[0-9]+ ]]; then
    v="0.1.0~git$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S).${1#v}"
  elif [[ $v =~ ^([^-]+)-(rc|beta|alpha)(.*)$ ]]; then
    v="${BASH_REMATCH[1]}~${BASH_REMATCH[2]}${BASH_REMATCH[3]}"
  fi
  v=${v/-/+}
  echo "${v//-/.}"
}
PACKAGE_VERSION=$(package_version "$2")
export PACKAGE_VERSION

out=$(realpath -m "${OUT:-dist}")
stage=$out/stage
rm -rf "$stage"
mkdir -p "$stage"
trap 'rm -rf "$stage"' EXIT

build() { # OS ARCH FILE
  CGO_ENABLED=0 GOOS=$1 GOARCH=$2 go build -trimpath -ldflags "-s -w -X main.version=$PACKAGE_VERSION" -o "$3" ./cmd/orderq
}

# licences copies those of all that is linked in, from the module cache.
licences() { # PROGRAM FOLDER
  local modules
  mapfile -t modules < <(go version -m "$1" | awk '$1 == "dep" {print $2}')
  go list -m -f '{{.Path}} {{.Dir}}' "${modules[@]}" | while read -r path dir; do
    mkdir -p "$2/$path"
    find "$dir" -maxdepth 1 -type f \( -iname 'licen[cs]e*' -o -iname 'copying*' -o -iname 'notice*' \) \
      -exec cp -t "$2/$path" {} +
    if [ -z "$(ls "$2/$path")" ]; then
      echo "$path has no licence file" >&2
      exit 1
    fi
  done
  mkdir -p "$2/go"
  cp "$(go env GOROOT)/LICENSE" "$2/go/" 2>/dev/null || cp /usr/share/doc/golang*/copyright "$2/go/LICENSE"
}

# common lays out what is the same for every architecture.
common() { # FOLDER
  local here=deploy/package program
  mkdir -p "$1"/{systemd,completions,man,share/prometheus,share/grafana,doc/docs}
  cp -r "$here/scripts" "$here"/{sysusers,logrotate}.conf "$1/"
  cp deploy/systemd/*.{service,socket,timer} "$1/systemd/"
  # Without a value of its own, the old REDIS_HOST and REDIS_PORT can count.
  sed 's/^  addresses: \[127.0.0.1:6379\]$/  # addresses: [127.0.0.1:6379]/' deploy/orderq.yaml >"$1/orderq.yaml"
  : >"$1/redis.password"
  cp -r deploy/grafana/. "$1/share/grafana/"
  cp deploy/prometheus/*.yml "$1/share/prometheus/"
  rm -f "$1"/share/prometheus/*_test.yml
  cp README.md CHANGELOG.md CONTRIBUTING.md "$1/doc/"
  cp LICENSE "$1/doc/copyright"
  cp -r docs/. "$1/doc/docs/"
  mkdir "$1/doc/producer"
  cp producer/openapi.yaml "$1/doc/producer/"
  # The documents name what lies elsewhere in an installation by where it is there.
  sed -i -e 's#(LICENSE)#(copyright)#; s#](\.\./deploy/#](../../../orderq/#g; s#`deploy`:#`/usr/share/orderq`:#' \
    -e 's#\bdeploy/orderq\.yaml#/etc/orderq/orderq.yaml#; s#\bdeploy/\(prometheus\|grafana\)#/usr/share/orderq/\1#g' \
    "$1"/doc/README.md "$1"/doc/docs/{monitoring.md,runbooks/*.md}
  program=$stage/host
  build "$(go env GOHOSTOS)" "$(go env GOHOSTARCH)" "$program"
  for shell in bash zsh fish; do
    "$program" completion $shell >"$1/completions/orderq.$shell"
  done
  "$program" man "$1/man"
  gzip -9n "$1"/man/*
}

config=$PWD/deploy/package/nfpm.yaml
# Of a description a deb takes the first line as the summary; an rpm has a field for
# that, and would repeat it.
sed '/^description: |$/{n;d}' "$config" >"$stage/rpm.yaml"
cp "$config" "$stage/deb.yaml"
common "$stage/common"
go build -o "$stage/sbom" ./internal/sbom
for target in "${wanted[@]}"; do
  format=${target%-*} ARCH=${target#*-}
  export ARCH
  if [ ! -d "$stage/$ARCH" ]; then
    cp -r "$stage/common" "$stage/$ARCH"
    build linux "$ARCH" "$stage/$ARCH/orderq"
    licences "$stage/$ARCH/orderq" "$stage/$ARCH/doc/licenses"
    "$stage/sbom" -version "$PACKAGE_VERSION" -epoch "$SOURCE_DATE_EPOCH" \
      -licences "$stage/$ARCH/doc/licenses" "$stage/$ARCH/orderq" >"$stage/$ARCH/doc/sbom.cdx.json"
    chmod -R u=rwX,go=rX "$stage/$ARCH"
    find "$stage/$ARCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
  fi
  (cd "$stage/$ARCH" && "$nfpm" package --config "$stage/$format.yaml" --packager "$format" --target "$out" >&2)
done
