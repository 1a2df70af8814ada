package alertjson

import "github.com/tocsin-noc/tocsin/event"

// Limits bounds what one request may hold; a field that is 0 stands for its default. What exceeds one is refused with an
// error that names the limit's configuration key. Lengths are bytes of UTF-8.
type Limits struct {
	AlertsPerRequest    int // limits.alerts_per_request, 10,000; exceeded, the whole request is refused
	LabelsPerAlert      int // limits.labels_per_alert, 64, empty ones counted
	AnnotationsPerAlert int // limits.annotations_per_alert, 64, empty ones counted
	LabelName           int // limits.label_name_bytes, 256; names of annotations too
	LabelValue          int // limits.label_value_bytes, 4 KiB
	AnnotationValue     int // limits.annotation_value_bytes, 32 KiB
	GeneratorURL        int // limits.generator_url_bytes, 32 KiB: Prometheus puts the whole expression there

	// ResolveTimeout is how long an alert without an end is taken to last, 5 minutes by default. It is no bound of size: an
	// alert that starts later than that from now and names no end would end before it starts.
	ResolveTimeout event.Time
}

func (l Limits) withDefaults() Limits {
	setDefault(&l.AlertsPerRequest, 10_000)
	setDefault(&l.LabelsPerAlert, 64)
	setDefault(&l.AnnotationsPerAlert, 64)
	setDefault(&l.LabelName, 256)
	setDefault(&l.LabelValue, 4<<10)
	setDefault(&l.AnnotationValue, 32<<10)
	setDefault(&l.GeneratorURL, 32<<10)
	setDefault(&l.ResolveTimeout, 5*event.Minute)
	return l
}

func setDefault[T ~int | ~int64](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}
