package peers

import (
	"regexp"
	"testing"
)

// Chromium starts a headless browser with a fresh profile. URL is the DevTools address (ws://127.0.0.1:PORT/devtools/
// browser/ID) that chromedp.NewRemoteAllocator takes.
func Chromium(t testing.TB) *Proc {
	t.Helper()
	p := newProc(t, "chromium", program(t, "chromium", "chromium-browser", "google-chrome"),
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
		"--remote-debugging-address=127.0.0.1", "--remote-debugging-port=0",
		"--window-size=1280,900",
	)
	p.start("--user-data-dir="+p.Dir+"/profile", "about:blank")
	p.URL = p.awaitLog(0, regexp.MustCompile(`DevTools listening on (ws://\S+)`))[1]
	return p
}
