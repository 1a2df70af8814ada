package peers

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// Broker is a one-node Kafka (KRaft: broker and controller in one process). It keeps its port and its data over
// Stop or Kill9 and Start.
type Broker struct {
	*Proc
	Addr string // 127.0.0.1:PORT

	config string
}

// Kafka formats and starts a broker; topics are created on first use, with one partition.
func Kafka(t testing.TB) *Broker {
	t.Helper()
	java := program(t, "java")
	libs := filepath.Join(Cache(t), "kafka", pinned(t, "KAFKA_VERSION"), "libs")
	if _, err := os.Stat(libs); err != nil {
		missing(t, "kafka", err)
	}
	b := &Broker{Proc: newProc(t, "kafka", java, "-cp", filepath.Join(libs, "*"))}
	// A short-lived JVM: the interpreter and the first compiler start faster than they would run slowly.
	b.argv = append(b.argv, "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Dlog4j2.configurationFile="+write(t, b.Dir, "log4j2.properties", kafkaLog))
	b.Addr = fmt.Sprintf("127.0.0.1:%d", freePort(t))
	b.config = write(t, b.Dir, "server.properties", kafkaConfig(b.Dir, b.Addr, freePort(t)))
	b.format()
	b.Start()
	return b
}

// Start runs the broker again after Stop or Kill9, and returns when it serves.
func (b *Broker) Start() {
	b.t.Helper()
	from := b.log.len()
	b.start("kafka.Kafka", b.config)
	b.awaitLog(from, regexp.MustCompile(`Kafka Server started`))
}

// format writes the cluster id into the data folder, as KRaft asks before the first start.
func (b *Broker) format() {
	b.t.Helper()
	b.start("kafka.tools.StorageTool", "format", "-t", "dG9jc2luLXRlc3QtMDAwMA", "-c", b.config)
	<-b.gone
	if !b.cmd.ProcessState.Success() {
		b.t.Fatalf("peers: kafka format: %s", b.cmd.ProcessState)
	}
}

// kafkaConfig has a short session: the controller refuses a restarted broker until its former session is over.
func kafkaConfig(dir, addr string, controllerPort int) string {
	return fmt.Sprintf(`process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:%[3]d
listeners=PLAINTEXT://%[2]s,CONTROLLER://127.0.0.1:%[3]d
advertised.listeners=PLAINTEXT://%[2]s
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=%[1]s/data
num.partitions=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
controlled.shutdown.enable=false
broker.heartbeat.interval.ms=250
broker.session.timeout.ms=3000
controller.quorum.election.timeout.ms=200
controller.quorum.election.backoff.max.ms=200
`, dir, addr, controllerPort)
}

const kafkaLog = `rootLogger.level=INFO
rootLogger.appenderRefs=console
rootLogger.appenderRef.console.ref=console
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{HH:mm:ss,SSS} %p %m (%c{1})%n
`
