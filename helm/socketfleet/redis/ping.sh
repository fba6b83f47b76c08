# redis-cli ends with 0 on every answer, so the answer is compared.
[ "$(REDISCLI_AUTH="$(cat /run/redis/password)" redis-cli -h 127.0.0.1 ping 2>&1)" = PONG ]
