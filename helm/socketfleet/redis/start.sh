# Starts Redis with the password of the Secret and follows the Secret when it changes. Needs a shell and coreutils only.
set -eu
secret=/etc/redis-secret/redis-password
now=/run/redis/password
umask 077

hash() { printf '%s' "$1" | sha256sum | cut -d ' ' -f 1; }
# As a hash a password may have any character, and it is in no list of processes.
passwords() {
  answer=$(REDISCLI_AUTH="$(cat "$now")" redis-cli -h 127.0.0.1 ACL SETUSER default resetpass "$@" 2>&1) || return 1
  [ "$answer" = OK ]
}

# Servers learn of a new password within a minute or two. Until they all have, the old one counts as well.
follow() {
  previous='' left=0
  while sleep 5; do
    current=$(cat "$now")
    next=$(cat "$secret") || continue
    if [ -n "$next" ] && [ "$next" != "$current" ]; then
      passwords "#$(hash "$next")" "#$(hash "$current")" || continue
      printf '%s' "$next" > "$now"
      previous=$current left=120
      echo 'redis-password has changed; the old one counts for 10 more minutes'
    elif [ -n "$previous" ]; then
      left=$((left - 1))
      if [ "$left" -le 0 ] && passwords "#$(hash "$current")"; then
        previous=''
        echo 'the old redis-password counts no more'
      fi
    fi
  done
}

password=$(cat "$secret")
if [ -z "$password" ]; then
  echo "redis-password is empty: the Secret behind it needs a password" >&2
  exit 1
fi
printf '%s' "$password" > "$now"
{
  cat /etc/redis/redis.conf
  echo "user default on #$(hash "$password") ~* &* +@all"
} > /run/redis/redis.conf
follow &
exec redis-server /run/redis/redis.conf
