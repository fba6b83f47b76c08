{{/*
Secrets reach the server as files, which it reads again when they change: rotation needs no restart. Each row is a file,
the variable that names it, and where its content is.
*/}}
{{- define "socketfleet.generatedSecret" -}}
{{ include "socketfleet.fullname" . }}-secrets
{{- end -}}

{{- define "socketfleet.secretFolder" -}}
/etc/socketfleet/secrets
{{- end -}}

{{/* Whether a shared secret signs tokens, ours or the user's. */}}
{{- define "socketfleet.hasSharedSecret" -}}
{{- with .Values.auth -}}
{{- if and (eq .mode "jwt") (or .existingSecret.name (not (or .publicKeySecret.name .jwksUrl))) }}yes{{ end -}}
{{- end -}}
{{- end -}}

{{/* Keys of the generated Secret, as JSON. */}}
{{- define "socketfleet.generatedKeys" -}}
{{- $keys := list -}}
{{- if and (eq (include "socketfleet.hasSharedSecret" .) "yes") (not .Values.auth.existingSecret.name) }}{{ $keys = append $keys "jwt-secret" }}{{ end -}}
{{- if and .Values.api.enabled (not .Values.api.existingSecret.name) }}{{ $keys = append $keys "api-key" }}{{ end -}}
{{- if and .Values.redis.enabled (not .Values.redis.auth.existingSecret.name) }}{{ $keys = append $keys "redis-password" }}{{ end -}}
{{- toJson $keys -}}
{{- end -}}

{{/* Rows { file, env, name, key, value }, as JSON; `value` is where the user would name the Secret, empty when it is ours. */}}
{{- define "socketfleet.secretFiles" -}}
{{- $ours := include "socketfleet.generatedSecret" . -}}
{{- $rows := list -}}
{{- with .Values.auth -}}
{{- if eq (include "socketfleet.hasSharedSecret" $) "yes" -}}
{{- $rows = append $rows (include "socketfleet.secretRow" (list "jwt-secret" "SOCKETFLEET_JWT_SECRET_FILE" "auth.existingSecret" .existingSecret $ours) | fromJson) -}}
{{- end -}}
{{- if .publicKeySecret.name -}}
{{- $rows = append $rows (include "socketfleet.secretRow" (list "jwt-public-key" "SOCKETFLEET_JWT_PUBLIC_KEY_FILE" "auth.publicKeySecret" .publicKeySecret "") | fromJson) -}}
{{- end -}}
{{- end -}}
{{- if .Values.api.enabled -}}
{{- $rows = append $rows (include "socketfleet.secretRow" (list "api-key" "SOCKETFLEET_API_KEY_FILE" "api.existingSecret" .Values.api.existingSecret $ours) | fromJson) -}}
{{- end -}}
{{- if .Values.redis.enabled -}}
{{- $rows = append $rows (include "socketfleet.secretRow" (list "redis-password" "SOCKETFLEET_REDIS_PASSWORD_FILE" "redis.auth.existingSecret" .Values.redis.auth.existingSecret $ours) | fromJson) -}}
{{- else -}}
{{- with .Values.externalRedis -}}
{{- $client := dict "name" .tls.clientSecret.name -}}
{{- range list
  (list "redis-url" "REDIS_URL_FILE" "externalRedis.urlSecret" .urlSecret "")
  (list "redis-password" "SOCKETFLEET_REDIS_PASSWORD_FILE" "externalRedis.passwordSecret" .passwordSecret "")
  (list "sentinel-password" "SOCKETFLEET_REDIS_SENTINEL_PASSWORD_FILE" "externalRedis.sentinelPasswordSecret" .sentinelPasswordSecret "")
  (list "redis-ca.crt" "SOCKETFLEET_REDIS_TLS_CA" "externalRedis.tls.caSecret" .tls.caSecret "")
  (list "redis-tls.crt" "SOCKETFLEET_REDIS_TLS_CERT" "externalRedis.tls.clientSecret" (merge (dict "key" .tls.clientSecret.certKey) $client) "")
  (list "redis-tls.key" "SOCKETFLEET_REDIS_TLS_KEY" "externalRedis.tls.clientSecret" (merge (dict "key" .tls.clientSecret.keyKey) $client) "")
-}}
{{- if (index . 3).name }}{{ $rows = append $rows (include "socketfleet.secretRow" . | fromJson) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $rows -}}
{{- end -}}

{{- define "socketfleet.secretRow" -}}
{{- $secret := index . 3 -}}
{{- $isGiven := not (empty $secret.name) -}}
{{- $key := ternary $secret.key (index . 0) $isGiven -}}
{{- toJson (dict "file" (index . 0) "env" (index . 1) "name" ($secret.name | default (index . 4)) "key" $key "value" (ternary (index . 2) "" $isGiven)) -}}
{{- end -}}

{{/* Sources of the projected volume. */}}
{{- define "socketfleet.secretSources" -}}
{{- range include "socketfleet.secretFiles" . | fromJsonArray }}
- secret:
    name: {{ .name }}
    items:
      - { key: {{ .key | quote }}, path: {{ .file }} }
{{- end }}
{{- end -}}
