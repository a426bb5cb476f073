#!/usr/bin/env bash
# Compares orderq's producer with what it replaces: nginx, php-fpm and phpredis
# from Debian's packages, pushing to a list of the same Redis, in one run.
# Arguments go to orderq bench http.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
orderq=$here/../../../bin/orderq

missing=()
command -v redis-server >/dev/null || missing+=(redis-server)
[ -x /usr/sbin/nginx ] || missing+=(nginx-light)
compgen -G '/usr/sbin/php-fpm*' >/dev/null || missing+=(php-fpm php-redis)
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" != 0 ]; then
    echo "this needs more packages; install them with: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o DPkg::Lock::Timeout=300 --no-install-recommends "${missing[@]}" >/dev/null
fi

port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$dir"' EXIT
chmod 755 "$dir"
redis=$(port) web=$(port)

redis-server --port "$redis" --bind 127.0.0.1 --dir "$dir" --appendonly yes --save '' --auto-aof-rewrite-percentage 0 >"$dir/redis.log" &

cat >"$dir/fpm.conf" <<END
[global]
error_log = $dir/fpm.log
[www]
listen = $dir/fpm.sock
listen.mode = 0666
user = nobody
group = nogroup
pm = static
pm.max_children = 16
END
"$(compgen -G '/usr/sbin/php-fpm*' | head -1)" --nodaemonize --fpm-config "$dir/fpm.conf" &

cat >"$dir/nginx.conf" <<END
daemon off;
worker_processes auto;
pid $dir/nginx.pid;
error_log $dir/error.log;
events { worker_connections 1024; }
http {
  access_log $dir/access.log;
  client_body_temp_path $dir/body;
  fastcgi_temp_path $dir/fastcgi;
  server {
    listen 127.0.0.1:$web;
    keepalive_requests 1000000;
    location = /addToOrderQueue.php {
      include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_FILENAME $dir/addToOrderQueue.php;
      fastcgi_param REDIS_PORT $redis;
      fastcgi_pass unix:$dir/fpm.sock;
    }
  }
}
END
cp "$here/addToOrderQueue.php" "$dir"
/usr/sbin/nginx -c "$dir/nginx.conf" &

url=http://127.0.0.1:$web/addToOrderQueue.php
for _ in $(seq 100); do
  curl -fsS -o "$dir/answer" -H 'Content-Type: application/json' -d '{"order_id":"first"}' "$url" 2>/dev/null && break
  sleep 0.1
done
grep -q '"success":true' "$dir/answer" || { echo "PHP does not answer; see:" >&2; cat "$dir"/*.log >&2; exit 1; }
"$orderq" bench http --redis "127.0.0.1:$redis" --against "$url" "$@"
