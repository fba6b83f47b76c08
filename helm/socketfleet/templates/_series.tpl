{{/* Selects the series of this release; a ServiceMonitor names them after the headless Service, which has every server. */}}
{{- define "socketfleet.series" -}}
{{- $own := printf "namespace=%q,service=%q" .Release.Namespace (printf "%s-headless" (include "socketfleet.fullname" .)) -}}
{{ printf "{%s}" $own }}
{{- end -}}

{{/* The same with more matchers; takes (list root matchers). */}}
{{- define "socketfleet.seriesWith" -}}
{{- $all := include "socketfleet.series" (index . 0) -}}
{{ printf "%s,%s}" (trimSuffix "}" $all) (index . 1) }}
{{- end -}}
