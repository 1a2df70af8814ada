package engine

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/tocsin-noc/tocsin/history/chdb/handoff"
)

// core is the running engine.
type core struct {
	connections *connecting
	version     string // as in 26.7.2.1
	timezone    string

	mu   sync.Mutex // holds base
	base *conn      // keeps the engine up, and asks it about queries
}

// newCore loads the library and opens the folder.
func newCore(o handoff.Order) (*core, error) {
	lib, err := openLibrary(o.Library)
	if err != nil {
		return nil, err
	}
	config, err := writeConfig(o)
	if err != nil {
		return nil, err
	}
	c := &core{connections: &connecting{lib: lib, args: []string{"clickhouse", "--path=" + filepath.Join(o.Folder, "store"), "--config-file=" + config}}}
	if c.base, err = c.connections.open(); err != nil {
		return nil, err
	}
	out, _, err := c.base.query("SELECT version(), timezone()", "TabSeparatedRaw", nil)
	if err != nil {
		return nil, err
	}
	c.version, c.timezone, _ = strings.Cut(strings.TrimSuffix(string(out), "\n"), "\t")
	return c, nil
}

// config is the engine's configuration. An insert is acknowledged once its parts are synced; caches stay small, since the daemon on the same
// machine goes first. Silenced are queries that fail, since they are answered; schedulers that wait; and a remark that the library makes about
// its own thread behind each INSERT.
const config = `<clickhouse>
	<max_server_memory_usage>%d</max_server_memory_usage>
	<mark_cache_size>67108864</mark_cache_size>
	<index_mark_cache_size>33554432</index_mark_cache_size>
	<primary_index_cache_size>67108864</primary_index_cache_size>
	<background_schedule_pool_size>4</background_schedule_pool_size>
	<merge_tree>
		<fsync_after_insert>1</fsync_after_insert>
		<fsync_part_directory>1</fsync_part_directory>
	</merge_tree>
	<logger>
		<console>1</console>
		<level>warning</level>
		<levels>
			<logger><name>executeQuery</name><level>none</level></logger>
			<logger><name>ThreadStatus</name><level>none</level></logger>
			<logger><name>BackgroundSchedulePool/BgSchPool</name><level>error</level></logger>
			<logger><name>BackgroundSchedulePool/BgStrmSchPool</name><level>error</level></logger>
			<logger><name>BackgroundSchedulePool/BgMBSchPool</name><level>error</level></logger>
			<logger><name>BackgroundSchedulePool/BgBufSchPool</name><level>error</level></logger>
			<logger><name>BackgroundSchedulePool/BgDistSchPool</name><level>error</level></logger>
		</levels>
	</logger>
	<log-level>warning</log-level>
	<users_config>%s</users_config>
</clickhouse>
`

const users = `<clickhouse>
	<profiles><default>
		<allow_introspection_functions>0</allow_introspection_functions>
		<implicit_select>0</implicit_select>
		<query_profiler_real_time_period_ns>0</query_profiler_real_time_period_ns>
		<query_profiler_cpu_time_period_ns>0</query_profiler_cpu_time_period_ns>
	</default></profiles>
	<users><default>
		<password></password>
		<networks><ip>::/0</ip></networks>
		<profile>default</profile>
		<quota>default</quota>
	</default></users>
	<quotas><default></default></quotas>
</clickhouse>
`

func writeConfig(o handoff.Order) (string, error) {
	usersFile, configFile := filepath.Join(o.Folder, "users.xml"), filepath.Join(o.Folder, "engine.xml")
	if err := os.WriteFile(usersFile, []byte(users), 0o600); err != nil {
		return "", err
	}
	return configFile, os.WriteFile(configFile, fmt.Appendf(nil, config, o.MemoryBytes, escape(usersFile)), 0o600)
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// ask runs a statement of our own.
func (c *core) ask(query, format string, params ...Param) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	out, _, err := c.base.query(query, format, params)
	return out, err
}

// classify asks the engine's parser about a query.
func (c *core) classify(query string) (Analysis, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.base.classify(query)
}

// session is a connection for one request.
type session struct {
	*conn
	core *core
	mark string // the comment by which its statement is found and ended
}

// session opens a connection with the database and the settings. It ends a running statement once ctx is over; done closes it. In between the
// goroutine keeps its thread: the library notes on the thread what a statement in several calls is at.
func (c *core) session(ctx context.Context, database string, settings []Param) (_ *session, done func(), err error) {
	runtime.LockOSThread()
	one, err := c.connections.open()
	if err != nil {
		runtime.UnlockOSThread()
		return nil, nil, err
	}
	s := &session{conn: one, core: c, mark: mark()}
	defer func() {
		if err != nil {
			c.connections.close(one)
			runtime.UnlockOSThread()
		}
	}()
	if database != "" {
		if _, _, err := one.query("USE "+quoteName(database), "Null", nil); err != nil {
			return nil, nil, err
		}
	}
	sets := []string{"log_comment = " + quoteText(s.mark)}
	for _, p := range settings {
		sets = append(sets, p.Name+" = "+quoteText(p.Value))
	}
	if _, _, err := one.query("SET "+strings.Join(sets, ", "), "Null", nil); err != nil {
		return nil, nil, err
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		_, _ = c.ask("KILL QUERY WHERE Settings['log_comment'] = "+quoteText(s.mark)+" ASYNC", "Null") // it may be over
	})
	return s, func() {
		if !stop() {
			<-ended
		}
		c.connections.close(one)
		runtime.UnlockOSThread()
	}, nil
}

func mark() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

func quoteName(s string) string {
	return "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(s) + "`"
}

func quoteText(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}
