{{/* Names, labels and images. A name leaves room for "-redis" and the hash that a StatefulSet appends to it in a label. */}}
{{- define "socketfleet.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 46 | trimSuffix "-" -}}
{{- end -}}

{{- define "socketfleet.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 46 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 46 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What a selector goes by; takes (list root component). */}}
{{- define "socketfleet.selectorLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "socketfleet.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* Labels of an object; takes (list root component). */}}
{{- define "socketfleet.labels" -}}
{{- $root := index . 0 -}}
{{ include "socketfleet.selectorLabels" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Name, labels and annotations of an object; takes a dict: root, component, and perhaps suffix, labels, annotations. */}}
{{- define "socketfleet.metadata" -}}
name: {{ include "socketfleet.fullname" .root }}{{ with .suffix }}-{{ . }}{{ end }}
labels:
  {{- $own := include "socketfleet.labels" (list .root .component) | fromYaml }}
  {{- toYaml (mergeOverwrite (dict) (.labels | default dict) $own) | nindent 2 }}
{{- with mergeOverwrite (dict) .root.Values.commonAnnotations (.annotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Labels and annotations of a pod; takes a dict: root, component, labels, annotations. No version in it: a new chart alone moves no client. */}}
{{- define "socketfleet.podMetadata" -}}
labels:
  {{- $own := include "socketfleet.selectorLabels" (list .root .component) | fromYaml }}
  {{- toYaml (mergeOverwrite (dict) .root.Values.commonLabels (.labels | default dict) $own) | nindent 2 }}
{{- with mergeOverwrite (dict) .root.Values.commonAnnotations (.annotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Takes (list image tag-when-empty). */}}
{{- define "socketfleet.imageName" -}}
{{- $image := index . 0 -}}
{{- $tag := $image.tag | default (index . 1) -}}
{{- $image.repository -}}
{{- if or $image.tag (not $image.digest) }}:{{ $tag }}{{ end -}}
{{- with $image.digest }}@{{ . }}{{ end -}}
{{- end -}}

{{- define "socketfleet.image" -}}
{{- include "socketfleet.imageName" (list .Values.image .Chart.AppVersion) -}}
{{- end -}}

{{- define "socketfleet.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "socketfleet.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- define "socketfleet.imagePullSecrets" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* A map without its null entries, as YAML. */}}
{{- define "socketfleet.withoutNulls" -}}
{{- $kept := dict -}}
{{- range $key, $value := . -}}
{{- if not (kindIs "invalid" $value) }}{{ $_ := set $kept $key $value }}{{ end -}}
{{- end -}}
{{- toYaml $kept -}}
{{- end -}}

{{/* Whether this Helm looks into a cluster: every namespace has this ConfigMap. "helm template" and GitOps tools do not. */}}
{{- define "socketfleet.canLookUp" -}}
{{- if lookup "v1" "ConfigMap" .Release.Namespace "kube-root-ca.crt" }}yes{{ end -}}
{{- end -}}
