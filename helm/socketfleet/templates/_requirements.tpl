{{/* Values that are valid alone and wrong together: one line each, all at once. What a single value may be is in values.schema.json. */}}
{{- define "socketfleet.problems" -}}
{{- include "socketfleet.rolloutProblems" . }}
{{- include "socketfleet.scalingProblems" . }}
{{- include "socketfleet.authProblems" . }}
{{- include "socketfleet.redisProblems" . }}
{{- include "socketfleet.entryProblems" . }}
{{- include "socketfleet.settingProblems" . }}
{{- include "socketfleet.podProblems" . }}
{{- include "socketfleet.secretProblems" . }}
{{- end -}}

{{- define "socketfleet.rolloutProblems" -}}
{{- $shortest := include "socketfleet.shortestGrace" . | int64 -}}
{{- with .Values.terminationGracePeriodSeconds }}
{{- if lt (int64 .) $shortest }}
terminationGracePeriodSeconds: {{ . }} is less than the {{ $shortest }} s that drain.endpointWaitSeconds, windowSeconds, deadlineSeconds and marginSeconds add up to; clients would be cut in the middle
{{- end }}
{{- end }}
{{- with .Values.rollout }}
{{- if and (eq (toString .maxSurge) "0") (eq (toString .maxUnavailable) "0") }}
rollout.maxSurge and rollout.maxUnavailable: both are 0, so no pod could ever be replaced
{{- end }}
{{- if le (include "socketfleet.progressDeadline" $ | int64) (include "socketfleet.minReady" $ | int64) }}
rollout.progressDeadlineSeconds: {{ .progressDeadlineSeconds }} must be more than minReadySeconds, which is {{ include "socketfleet.minReady" $ }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "socketfleet.scalingProblems" -}}
{{- with .Values.autoscaling }}
{{- if and .hpa.enabled .keda.enabled }}
autoscaling.hpa.enabled and autoscaling.keda.enabled: KEDA makes an HPA of its own, and two would fight; keep one
{{- end }}
{{- if eq (include "socketfleet.isAutoscaled" $) "yes" }}
{{- if gt (int64 .minReplicas) (int64 .maxReplicas) }}
autoscaling.minReplicas: {{ .minReplicas }} is more than autoscaling.maxReplicas, which is {{ .maxReplicas }}
{{- end }}
{{- if gt (int64 .connectionsPerPod) (int64 $.Values.settings.maxConnections) }}
autoscaling.connectionsPerPod: {{ int64 .connectionsPerPod }} is more than settings.maxConnections, which is {{ int64 $.Values.settings.maxConnections }}; pods would be full before another one comes
{{- end }}
{{- end }}
{{- if and .keda.enabled (not .keda.serverAddress) }}
autoscaling.keda.serverAddress: KEDA must be told where Prometheus is, for instance http://prometheus-operated.monitoring:9090
{{- end }}
{{- end }}
{{- end -}}

{{- define "socketfleet.authProblems" -}}
{{- with .Values.auth }}
{{- if and (eq .mode "none") (or .existingSecret.name .publicKeySecret.name .jwksUrl .issuer .audience) }}
auth.mode: none checks no token, but keys, issuer or audience are set; use jwt or remove them
{{- end }}
{{- end }}
{{- if and (not .Values.api.enabled) .Values.api.existingSecret.name }}
api.existingSecret.name: api.enabled=false leaves the HTTP API off, so nobody reads it
{{- end }}
{{- end -}}

{{- define "socketfleet.redisProblems" -}}
{{- $external := .Values.externalRedis -}}
{{- $isExternal := or $external.urls $external.urlSecret.name -}}
{{- if and .Values.redis.enabled (or $isExternal $external.username $external.passwordSecret.name $external.sentinelPasswordSecret.name $external.tls.caSecret.name $external.tls.clientSecret.name (ne $external.topology "standalone")) }}
redis.enabled: the chart's own Redis is on and externalRedis is filled; set redis.enabled=false to use yours
{{- end }}
{{- if and $external.urls $external.urlSecret.name }}
externalRedis.urls and externalRedis.urlSecret.name: keep one, both say where Redis is
{{- end }}
{{- if not (eq (include "socketfleet.hasRedis" .) "yes") }}
{{- if or (gt (include "socketfleet.leastReplicas" . | int64) 1) (eq (include "socketfleet.isAutoscaled" .) "yes") }}
redis.enabled: without any Redis the servers cannot hear each other; set externalRedis.urls, or replicaCount=1 without autoscaling
{{- end }}
{{- else if not .Values.redis.enabled }}
{{- if and (eq $external.topology "standalone") (gt (len $external.urls) 1) }}
externalRedis.urls: there are several; set externalRedis.topology to sentinel or cluster
{{- end }}
{{- $tls := 0 }}{{ range $external.urls }}{{ if hasPrefix "rediss:" . }}{{ $tls = add1 $tls }}{{ end }}{{ end }}
{{- if and (gt (int $tls) 0) (lt (int $tls) (len $external.urls)) }}
externalRedis.urls: redis:// and rediss:// are mixed; use one of them
{{- end }}
{{- if and $external.urls (eq (int $tls) 0) (or $external.tls.caSecret.name $external.tls.clientSecret.name) }}
externalRedis.tls: it is filled, but externalRedis.urls has no rediss:// URL
{{- end }}
{{- end }}
{{- if and (not .Values.redis.enabled) (not $isExternal) (or $external.username $external.passwordSecret.name $external.sentinelPasswordSecret.name $external.tls.caSecret.name $external.tls.clientSecret.name) }}
externalRedis: credentials are given, but neither externalRedis.urls nor externalRedis.urlSecret says where Redis is
{{- end }}
{{- if and (ne $external.topology "standalone") (not $isExternal) (not .Values.redis.enabled) }}
externalRedis.topology: {{ $external.topology }} needs externalRedis.urls or externalRedis.urlSecret
{{- end }}
{{- if .Values.redis.enabled }}
{{- $memory := dig "limits" "memory" "" .Values.redis.resources | toString }}
{{- if eq (include "socketfleet.bytes" $memory) "" }}
redis.resources.limits.memory: it is {{ $memory | default "missing" }}, but must be like 256Mi, because Redis may use 60 % of it
{{- else if lt (include "socketfleet.bytes" $memory | int64) 33554432 }}
redis.resources.limits.memory: {{ $memory }} is less than the 32Mi that Redis needs for itself
{{- end }}
{{- include "socketfleet.claimProblem" . }}
{{- end }}
{{- end -}}

{{/* Kubernetes changes no claim template, and says so in words that name no value. */}}
{{- define "socketfleet.claimProblem" -}}
{{- $name := printf "%s-redis" (include "socketfleet.fullname" .) -}}
{{- $live := lookup "apps/v1" "StatefulSet" .Release.Namespace $name -}}
{{- if $live }}
{{- $claims := dig "spec" "volumeClaimTemplates" list $live | default list }}
{{- $isKept := gt (len $claims) 0 }}
{{- $size := "" }}{{ range $claims }}{{ $size = .spec.resources.requests.storage }}{{ end }}
{{- $remedy := printf "delete it first, its pod goes on: kubectl -n %s delete statefulset %s --cascade=orphan" .Release.Namespace $name }}
{{- if ne $isKept .Values.redis.persistence.enabled }}
redis.persistence.enabled: the StatefulSet was made with {{ $isKept }}, and Kubernetes does not change that; {{ $remedy }}
{{- else if and $isKept (ne $size (toString .Values.redis.persistence.size)) }}
redis.persistence.size: the StatefulSet was made with {{ $size }}, and Kubernetes does not change that; {{ $remedy }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "socketfleet.entryProblems" -}}
{{- if eq (int64 .Values.ports.public) (int64 .Values.ports.internal) }}
ports.public and ports.internal: both are {{ int64 .Values.ports.public }}, and the internal port must not be public
{{- end }}
{{- if and .Values.service.nodePort (eq .Values.service.type "ClusterIP") }}
service.nodePort: a Service of type ClusterIP has none; set service.type to NodePort or LoadBalancer
{{- end }}
{{- if and (ne .Values.service.type "LoadBalancer") (or .Values.service.loadBalancerClass .Values.service.loadBalancerSourceRanges) }}
service.loadBalancerClass and service.loadBalancerSourceRanges: service.type is {{ .Values.service.type }}, not LoadBalancer
{{- end }}
{{- if and (eq .Values.service.type "ClusterIP") .Values.service.externalTrafficPolicy }}
service.externalTrafficPolicy: a Service of type ClusterIP has none
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) }}
ingress.hosts: at least one name is needed under which clients come
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
httpRoute.parentRefs: a route belongs to at least one Gateway, for instance [{ name: public, namespace: gateways }]
{{- end }}
{{- if and (eq .Values.affinity.provider "haproxy") (not .Values.ingress.enabled) }}
affinity.provider: haproxy reads its settings from the Ingress, and ingress.enabled=false leaves that out
{{- end }}
{{- end -}}

{{- define "socketfleet.settingProblems" -}}
{{- with .Values.settings }}
{{- if gt (int64 .slowReaderSoftBytes) (int64 .slowReaderHardBytes) }}
settings.slowReaderSoftBytes: {{ int64 .slowReaderSoftBytes }} is more than settings.slowReaderHardBytes, which is {{ int64 .slowReaderHardBytes }}
{{- end }}
{{- if gt (int64 .maxPayloadBytes) (int64 .slowReaderHardBytes) }}
settings.maxPayloadBytes: {{ int64 .maxPayloadBytes }} is more than settings.slowReaderHardBytes, which is {{ int64 .slowReaderHardBytes }}; one allowed message would close its receivers
{{- end }}
{{- if and (gt (int64 .bytesPerSecond) 0) (gt (int64 .maxPayloadBytes) (mul 2 .bytesPerSecond)) }}
settings.maxPayloadBytes: {{ int64 .maxPayloadBytes }} is more than twice settings.bytesPerSecond, which is {{ int64 .bytesPerSecond }}; one allowed message would close its sender
{{- end }}
{{- end }}
{{- end -}}

{{- define "socketfleet.podProblems" -}}
{{- $ours := dict -}}
{{- range include "socketfleet.serverEnv" . | fromYamlArray }}{{ $_ := set $ours .name true }}{{ end -}}
{{- range .Values.extraEnv }}
{{- if hasKey $ours .name }}
extraEnv: {{ .name }} is set by the chart already; change the value that it comes from
{{- else if hasPrefix "SOCKETFLEET_" .name }}
extraEnv: {{ .name }} would be a setting of the server; those have their place in settings
{{- end }}
{{- $_ := set $ours .name true }}
{{- end }}
{{- range .Values.extraVolumes }}
{{- if has .name (list "secrets" "tmp") }}
extraVolumes: the name {{ .name }} is taken by the chart
{{- end }}
{{- end }}
{{- range concat .Values.sidecars .Values.initContainers }}
{{- if eq .name "server" }}
sidecars and initContainers: the name server is taken by the chart
{{- end }}
{{- end }}
{{- end -}}

{{/* What is said about a Secret that the user named, when the cluster can be asked: the pods would wait or crash otherwise. */}}
{{- define "socketfleet.secretProblems" -}}
{{- $rows := include "socketfleet.secretFiles" . | fromJsonArray -}}
{{- with .Values.tests.tokenSecret }}
{{- if .name }}{{ $rows = append $rows (dict "file" "token" "name" .name "key" .key "value" "tests.tokenSecret") }}{{ end }}
{{- end }}
{{- if include "socketfleet.canLookUp" . }}
{{- range $rows }}
{{- if .value }}
{{- $data := lookup "v1" "Secret" $.Release.Namespace .name | default dict | dig "data" "none" }}
{{- if not (lookup "v1" "Secret" $.Release.Namespace .name) }}
{{ .value }}.name: there is no Secret {{ .name }} in namespace {{ $.Release.Namespace }}
{{- else if or (kindIs "string" $data) (not (hasKey ($data | default dict) .key)) }}
{{ .value }}: the Secret {{ .name }} has no key {{ .key }}
{{- else }}
{{- include "socketfleet.weakSecretProblem" (list . (index $data .key | b64dec)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Takes (list row content). The server ends with exit code 2 on these; what is in the Secret is never shown. */}}
{{- define "socketfleet.weakSecretProblem" -}}
{{- $row := index . 0 -}}
{{- $where := printf "%s: key %s of the Secret %s" $row.value $row.key $row.name -}}
{{- $values := list -}}
{{- range regexSplit "[,\\r\\n]+" (index . 1) -1 }}{{ if trim . }}{{ $values = append $values (trim .) }}{{ end }}{{ end -}}
{{- if not $values }}
{{ $where }} is empty
{{- end }}
{{- $least := get (dict "jwt-secret" 32 "api-key" 16) $row.file | default 0 | int }}
{{- range $values }}
{{- if lt (len .) $least }}
{{ $where }} has a value of less than {{ $least }} bytes, which can be guessed
{{- end }}
{{- if and (eq $row.file "redis-url") (not (regexMatch "^rediss?://[^/?#]+(/[0-9]*)?$" .)) }}
{{ $where }} has a value that is no URL of a Redis, such as redis://host:6379/0 (/, ? and # in a password are percent-encoded)
{{- end }}
{{- end }}
{{- if and $values (eq $row.file "jwt-public-key") (not (contains "-----BEGIN" (index . 1))) }}
{{ $where }} has no PEM block
{{- end }}
{{- end -}}

{{/* Bytes of a quantity of memory; empty when it is none. */}}
{{- define "socketfleet.bytes" -}}
{{- $units := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 -}}
{{- if regexMatch "^[0-9]+(\\.[0-9]+)?(k|M|G|Ki|Mi|Gi)?$" . -}}
{{- mulf (regexFind "^[0-9.]+" . | float64) (get $units (regexFind "[kMGi]+$" .)) | floor | int64 -}}
{{- end -}}
{{- end -}}
