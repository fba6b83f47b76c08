{{/* The server's environment, as a YAML list. What is a value of the chart is refused in extraEnv, so no name comes twice. */}}
{{- define "socketfleet.serverEnv" -}}
{{- $fullname := include "socketfleet.fullname" . -}}
- { name: PORT, value: {{ .Values.ports.public | int64 | quote }} }
- { name: HOST, value: "::" }
- { name: SOCKETFLEET_INTERNAL_PORT, value: {{ .Values.ports.internal | int64 | quote }} }
# Not on all addresses: what a sidecar or a port-forward offers on the loopback stays closed.
- { name: SOCKETFLEET_INTERNAL_HOST, valueFrom: { fieldRef: { fieldPath: status.podIP } } }
- { name: SOCKETFLEET_POD, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
- { name: SOCKETFLEET_PEERS, value: "{{ $fullname }}-headless:{{ .Values.ports.internal | int64 }}" }
- { name: SOCKETFLEET_LOG_FORMAT, value: json }
{{- with .Values.app.module }}
- { name: SOCKETFLEET_APP, value: {{ . | quote }} }
{{- end }}
{{- with .Values.auth }}
- { name: SOCKETFLEET_AUTH, value: {{ .mode }} }
{{- with .jwksUrl }}
- { name: SOCKETFLEET_JWKS_URL, value: {{ . | quote }} }
{{- end }}
{{- end }}
{{- include "socketfleet.tokenEnv" . }}
{{- with .Values.drain }}
- { name: SOCKETFLEET_ENDPOINT_WAIT_MS, value: {{ mul .endpointWaitSeconds 1000 | quote }} }
- { name: SOCKETFLEET_DRAIN_WINDOW_MS, value: {{ mul .windowSeconds 1000 | quote }} }
- { name: SOCKETFLEET_DRAIN_DEADLINE_MS, value: {{ mul .deadlineSeconds 1000 | quote }} }
{{- end }}
{{- include "socketfleet.redisEnv" . }}
{{- range include "socketfleet.secretFiles" . | fromJsonArray }}
- { name: {{ .env }}, value: {{ include "socketfleet.secretFolder" $ }}/{{ .file }} }
{{- end }}
{{- range $key, $value := .Values.settings }}
{{- if not (kindIs "invalid" $value) }}
- { name: {{ include "socketfleet.settingName" $key }}, value: {{ include "socketfleet.settingText" (list $value) | quote }} }
{{- end }}
{{- end }}
{{- end -}}

{{/* What the server demands of a token, and what the tests put into theirs. */}}
{{- define "socketfleet.tokenEnv" -}}
{{- with .Values.auth.issuer }}
- { name: SOCKETFLEET_JWT_ISSUER, value: {{ . | quote }} }
{{- end }}
{{- with .Values.auth.audience }}
- { name: SOCKETFLEET_JWT_AUDIENCE, value: {{ . | quote }} }
{{- end }}
{{- end -}}

{{- define "socketfleet.redisEnv" -}}
{{- if .Values.redis.enabled }}
- { name: REDIS_URL, value: "redis://{{ include "socketfleet.fullname" . }}-redis:6379" }
{{- else if eq (include "socketfleet.hasRedis" .) "yes" }}
{{- with .Values.externalRedis }}
{{- with .urls }}
- { name: REDIS_URL, value: {{ join "," . | quote }} }
{{- end }}
- { name: SOCKETFLEET_REDIS_TOPOLOGY, value: {{ .topology }} }
{{- if eq .topology "sentinel" }}
- { name: SOCKETFLEET_REDIS_SENTINEL_NAME, value: {{ .sentinelName | quote }} }
{{- end }}
{{- with .username }}
- { name: SOCKETFLEET_REDIS_USERNAME, value: {{ . | quote }} }
{{- end }}
{{- end }}
{{- if not .Values.settings.redisPrefix }}
# Others may be on this Redis.
- { name: SOCKETFLEET_REDIS_PREFIX, value: {{ include "socketfleet.redisPrefix" . }} }
{{- end }}
{{- end }}
{{- end -}}

{{- define "socketfleet.hasRedis" -}}
{{- if or .Values.redis.enabled .Values.externalRedis.urls .Values.externalRedis.urlSecret.name }}yes{{ end -}}
{{- end -}}

{{/* Namespace and name of this installation; shortened to the 64 characters that there are without meeting another one. */}}
{{- define "socketfleet.redisPrefix" -}}
{{- $prefix := printf "%s.%s" .Release.Namespace (include "socketfleet.fullname" .) -}}
{{- if gt (len $prefix) 64 }}{{ $prefix = printf "%s.%s" (trunc 55 $prefix) (sha256sum $prefix | trunc 8) }}{{ end -}}
{{- $prefix -}}
{{- end -}}

{{/* pingIntervalMs is SOCKETFLEET_PING_INTERVAL_MS. */}}
{{- define "socketfleet.settingName" -}}
{{- if eq . "logLevel" }}LOG_LEVEL{{ else }}SOCKETFLEET_{{ snakecase . | upper }}{{ end -}}
{{- end -}}

{{/* Takes (list value). Helm reads every number as a float, whose text would be 1e+06. */}}
{{- define "socketfleet.settingText" -}}
{{- $value := index . 0 -}}
{{- if kindIs "bool" $value }}{{ ternary "on" "off" $value }}
{{- else if kindIs "slice" $value }}
{{- $texts := list }}{{ range $value }}{{ $texts = append $texts (include "socketfleet.settingText" (list .)) }}{{ end }}
{{- join "," $texts }}
{{- else if kindIs "string" $value }}{{ $value }}
{{- else }}{{ int64 $value }}
{{- end -}}
{{- end -}}
