{{/* Times of a stopping pod, in seconds. */}}
{{- define "socketfleet.shortestGrace" -}}
{{- with .Values.drain -}}
{{- add .endpointWaitSeconds .windowSeconds .deadlineSeconds .marginSeconds -}}
{{- end -}}
{{- end -}}

{{- define "socketfleet.grace" -}}
{{- .Values.terminationGracePeriodSeconds | default (include "socketfleet.shortestGrace" .) | int64 -}}
{{- end -}}

{{- define "socketfleet.minReady" -}}
{{- if kindIs "invalid" .Values.rollout.minReadySeconds -}}
{{- add .Values.drain.endpointWaitSeconds .Values.drain.windowSeconds -}}
{{- else -}}
{{- .Values.rollout.minReadySeconds | int64 -}}
{{- end -}}
{{- end -}}

{{/* Kubernetes counts from the last progress, and one pod becoming available is progress. */}}
{{- define "socketfleet.progressDeadline" -}}
{{- .Values.rollout.progressDeadlineSeconds | default (max 600 (add (mul 2 (include "socketfleet.minReady" . | int64)) 120)) | int64 -}}
{{- end -}}

{{/* Servers that there are at least. */}}
{{- define "socketfleet.leastReplicas" -}}
{{- ternary .Values.autoscaling.minReplicas .Values.replicaCount (eq (include "socketfleet.isAutoscaled" .) "yes") | int64 -}}
{{- end -}}

{{- define "socketfleet.isAutoscaled" -}}
{{- if or .Values.autoscaling.hpa.enabled .Values.autoscaling.keda.enabled }}yes{{ end -}}
{{- end -}}

{{/*
What spec.replicas is to say. Leaving it out resets a Deployment to 1 at the moment autoscaling is switched on, so the
live number stays. Where nobody can look it up it is left to the autoscaler.
*/}}
{{- define "socketfleet.replicas" -}}
{{- if ne (include "socketfleet.isAutoscaled" .) "yes" -}}
{{- .Values.replicaCount | int64 -}}
{{- else if include "socketfleet.canLookUp" . -}}
{{- $live := lookup "apps/v1" "Deployment" .Release.Namespace (include "socketfleet.fullname" .) | default dict -}}
{{- $now := dig "spec" "replicas" .Values.replicaCount $live | int64 -}}
{{- /* What the autoscaler or a person has set is theirs: Helm 4 calls another number a conflict. The autoscaler itself lifts it. */ -}}
{{- $isTheirs := false -}}
{{- range dig "metadata" "managedFields" list $live -}}
{{- if and (ne .manager "helm") (hasKey (dig "fieldsV1" "f:spec" dict .) "f:replicas") }}{{ $isTheirs = true }}{{ end -}}
{{- end -}}
{{- ternary $now (max $now (.Values.autoscaling.minReplicas | int64)) $isTheirs -}}
{{- end -}}
{{- end -}}
