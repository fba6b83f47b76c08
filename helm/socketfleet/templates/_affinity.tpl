{{/*
Everything in which ingress controllers differ. Cookie affinity for polling and its upgrade: where the setting goes, and
what it is called there. Takes root; each answers YAML of annotations, or nothing.
*/}}
{{- define "socketfleet.ingressAffinity" -}}
{{- if eq .Values.affinity.provider "haproxy" }}
haproxy-ingress.github.io/affinity: cookie
haproxy-ingress.github.io/session-cookie-name: {{ .Values.affinity.cookieName | quote }}
haproxy-ingress.github.io/session-cookie-strategy: insert
# The pod's UID names it in every replica of the controller and never another pod; a dynamic value would win over it.
haproxy-ingress.github.io/session-cookie-value-strategy: pod-uid
haproxy-ingress.github.io/session-cookie-dynamic: "false"
# A slot that is used again keeps the cookie of its pod.
haproxy-ingress.github.io/session-cookie-preserve: "true"
{{- if eq .Values.affinity.sameSite "None" }}
haproxy-ingress.github.io/session-cookie-same-site: "true"
{{- else }}
haproxy-ingress.github.io/session-cookie-keywords: {{ printf "indirect nocache httponly%s attr SameSite=%s" (ternary " secure" "" (not (empty .Values.ingress.tls))) .Values.affinity.sameSite | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "socketfleet.serviceAffinity" -}}
{{- if eq .Values.affinity.provider "haproxytech" }}
# On the Service: newer controllers do not read it from the Ingress.
haproxy.org/cookie-persistence: {{ .Values.affinity.cookieName | quote }}
{{- else if eq .Values.affinity.provider "traefik" }}
traefik.ingress.kubernetes.io/service.sticky.cookie: "true"
traefik.ingress.kubernetes.io/service.sticky.cookie.name: {{ .Values.affinity.cookieName | quote }}
traefik.ingress.kubernetes.io/service.sticky.cookie.httponly: "true"
traefik.ingress.kubernetes.io/service.sticky.cookie.secure: {{ or (not (empty .Values.ingress.tls)) (eq .Values.affinity.sameSite "None") | quote }}
traefik.ingress.kubernetes.io/service.sticky.cookie.samesite: {{ lower .Values.affinity.sameSite }}
# The same pod must answer below the whole path.
traefik.ingress.kubernetes.io/service.sticky.cookie.path: {{ .Values.ingress.path | quote }}
{{- end }}
{{- end -}}

{{/* What the NOTES say about time-outs: a long poll is silent for a ping interval, a WebSocket too. */}}
{{- define "socketfleet.timeoutAdvice" -}}
{{- if eq .Values.affinity.provider "haproxy" -}}
HAProxy Ingress: the defaults fit (timeout-server 50s for polling, timeout-tunnel 1h for WebSockets). Raise max-connections, which is 2000.
{{- else if eq .Values.affinity.provider "haproxytech" -}}
HAProxy: the defaults fit (timeout-server 50s for polling, timeout-tunnel 1h for WebSockets).
{{- else if eq .Values.affinity.provider "traefik" -}}
Traefik: the defaults fit. Do not set service.nativelb: all pods would be one to it.
{{- else -}}
It must exceed the ping interval and time-out, 45 s as they come. Beware: GKE cuts every WebSocket after 30 s, ALB idle ones after 60 s, AGIC after 30 s. docs/ingress.md of the chart says where to set it.
{{- end -}}
{{- end -}}
