package terminal

import "fmt"

// Bytes returns a size to three digits, as in 512B, 1.5KiB or 187MiB.
func Bytes(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%dB", n)
	}
	size, unit := float64(n)/1024, 0
	for ; size >= 1000 && unit < 4; unit++ {
		size /= 1024
	}
	if size < 10 {
		return fmt.Sprintf("%.1f%ciB", size, "KMGTP"[unit])
	}
	return fmt.Sprintf("%.0f%ciB", size, "KMGTP"[unit])
}
