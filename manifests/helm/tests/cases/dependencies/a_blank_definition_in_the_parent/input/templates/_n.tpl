{{ define "n" }} {{/* nothing */}}
{{ end }}