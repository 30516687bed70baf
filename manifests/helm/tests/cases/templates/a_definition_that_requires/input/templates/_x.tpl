{{ define "x" }}{{ include "y" . }}{{ end }}{{ define "y" }}
{{ fail "stop: here" }}{{ end }}