package imports

import "time"

// showTime writes an instant for messages.
func showTime(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05 MST") }
