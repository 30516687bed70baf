{{ define "lib.cm" }}apiVersion: v1
kind: ConfigMap
metadata:
  name: of-{{ .Chart.Name }}
data:
  v: {{ toJson .Values.lib | quote }}
{{ end }}