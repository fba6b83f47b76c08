{{/* Files of the Redis pod, as YAML of names and contents. */}}
{{- define "socketfleet.redisFiles" -}}
redis.conf: |
  {{- $limit := dig "limits" "memory" "" .Values.redis.resources | toString }}
  {{- $bytes := include "socketfleet.bytes" $limit | default "0" }}
  {{- tpl (.Files.Get "redis/redis.conf") (merge (dict "maxmemory" (mulf $bytes 0.6 | floor | int64)) .) | trim | nindent 2 }}
start.sh: |
  {{- .Files.Get "redis/start.sh" | trim | nindent 2 }}
ping.sh: |
  {{- .Files.Get "redis/ping.sh" | trim | nindent 2 }}
{{- end -}}
