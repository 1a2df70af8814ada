package receivers

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/notify/message"
)

func TestARefusalIsAnAnswerOfTheReceiverAndNotOfTheWayThere(t *testing.T) {
	for want, err := range map[int]error{
		500: fmt.Errorf("hook: %w", &RetryLater{time.Second, &Answered{500, errors.New("no")}}),
		503: errors.New("unexpected status code 503: retry later"), // Alertmanager's notifiers
	} {
		require.Equal(t, want, Refused(err))
	}
	for _, err := range []error{
		&Answered{429, errors.New("too many")}, errors.New("unexpected status code 429"), errors.New("connection refused"), errors.New("550 no such user"),
	} {
		require.Zero(t, Refused(err), err)
	}
}

func TestEveryKindThatSpeaksHTTPSaysWithWhatItWasAnswered(t *testing.T) {
	for kind, config := range map[string]string{
		"slack": "{api_url: %s, channel: '#ops'}", "pagerduty": "{routing_key: r, url: %s}", "opsgenie": "{api_key: k, api_url: %s/}",
		"msteamsv2": "{webhook_url: %s}", "discord": "{webhook_url: %s}", "mattermost": "{webhook_url: %s}",
		"rocketchat": "{api_url: %s, token: t, token_id: i}", "victorops": "{api_key: k, routing_key: r, api_url: %s/}", "webhook": "{url: %s}",
		"webex": "{api_url: %s, room_id: r, http_config: {authorization: {credentials: x}}}",
	} {
		s := newSink(t)
		s.answer = func(w http.ResponseWriter) { http.Error(w, "no", http.StatusBadGateway) }
		r, err := New(spec(t, kind, fmt.Sprintf(config, s.URL)), options(t, "127.0.0.1"))
		require.NoError(t, err)
		retry, err := r.Send(t.Context(), rendered(t, message.Opened, "Down"), nil)
		require.True(t, retry, "%s: %v", kind, err)
		require.Equal(t, http.StatusBadGateway, Refused(err), "%s: %v", kind, err)
	}
}
