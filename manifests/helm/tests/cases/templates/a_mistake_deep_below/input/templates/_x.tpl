{{ define "x" }}{{ template "y" . }}{{ end }}
{{ define "y" }}a
  {{ .Values.a.b.c }}{{ end }}