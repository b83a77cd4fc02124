{{- define "metallb.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- /* controllerConfig and speakerConfig from the familiar values; only what is set. */ -}}
{{- define "metallb.config" -}}
{{- range $field := list "priorityClassName" "runtimeClassName" "affinity" "resources" }}
{{- with get $ $field }}
{{ $field }}: {{ toJson . }}
{{- end }}
{{- end }}
{{- with .podAnnotations }}
annotations: {{ toJson . }}
{{- end }}
{{- end -}}

{{- define "metallb.spec" -}}
{{- with .Values.loadBalancerClass }}
loadBalancerClass: {{ . | quote }}
{{- end }}
{{- with .Values.controller.logLevel }}
logLevel: {{ . }}
{{- end }}
{{- with .Values.speaker.nodeSelector }}
nodeSelector: {{ toJson . }}
{{- end }}
{{- with .Values.speaker.tolerations }}
speakerTolerations: {{ toJson . }}
{{- end }}
{{- with include "metallb.config" .Values.speaker | trim }}
speakerConfig: {{- . | nindent 2 }}
{{- end }}
{{- with .Values.controller.nodeSelector }}
controllerNodeSelector: {{ toJson . }}
{{- end }}
{{- with .Values.controller.tolerations }}
controllerTolerations: {{ toJson . }}
{{- end }}
{{- with include "metallb.config" .Values.controller | trim }}
controllerConfig: {{- . | nindent 2 }}
{{- end }}
{{- if .Values.frrk8s.external }}
bgpBackend: frr-k8s-external
frrk8sConfig:
  namespace: {{ .Values.frrk8s.namespace | quote }}
  secretPassthrough: {{ .Values.frrk8s.secretPassthrough }}
{{- end }}
{{- end -}}
