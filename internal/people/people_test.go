package people

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/internal/auth"
)

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func ann() Person {
	return Person{
		Login: "ann", Name: "Ann Berg", Addresses: map[string]string{"email": "ann.berg@example.org"}, Zone: "Europe/Berlin",
		Grants: []auth.Grant{{Role: auth.Responder, Tenant: "main"}},
	}
}

func TestAPersonStaysOverARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "people.db")
	s := open(t, path)
	made, err := s.Create(ann())
	require.NoError(t, err)
	require.Regexp(t, `^u-[a-z2-7]{10}$`, made.ID)
	secret, err := s.NewToken("ann", "laptop", time.Time{})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	s = open(t, path)
	got, ok := s.ByLogin("ann")
	require.True(t, ok)
	require.Equal(t, "Ann Berg", got.Name)
	p, ok := s.ByToken(sha256.Sum256([]byte(secret)))
	require.True(t, ok)
	require.Equal(t, auth.Principal{ID: made.ID, Name: "ann", Grants: made.Grants}, p)
	_, err = s.Create(ann())
	require.ErrorIs(t, err, ErrTaken)
}

func TestATokenEndsWhenItExpiresIsRevokedOrItsOwnerIsDisabled(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "people.db"))
	_, err := s.Create(ann())
	require.NoError(t, err)
	now := time.Now()
	s.now = func() time.Time { return now }
	secret, err := s.NewToken("ann", "laptop", now.Add(time.Hour))
	require.NoError(t, err)
	digest := sha256.Sum256([]byte(secret))
	_, ok := s.ByToken(digest)
	require.True(t, ok)
	now = now.Add(time.Hour)
	_, ok = s.ByToken(digest)
	require.False(t, ok, "it has expired")
	now = now.Add(-time.Minute)
	_, err = s.Update("ann", func(p *Person) error { p.Disabled = true; return nil })
	require.NoError(t, err)
	_, ok = s.ByToken(digest)
	require.False(t, ok, "she is disabled")
	_, err = s.Update("ann", func(p *Person) error { p.Disabled = false; return nil })
	require.NoError(t, err)
	require.NoError(t, s.RevokeToken("ann", "laptop"))
	_, ok = s.ByToken(digest)
	require.False(t, ok, "it was taken away")
	require.ErrorIs(t, s.RevokeToken("ann", "laptop"), ErrNoToken)
}

func TestForgettingLeavesNoByteOfANameInTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "people.db")
	s := open(t, path)
	made, err := s.Create(ann())
	require.NoError(t, err)
	for range 20 { // leave old pages behind
		_, err = s.Update("ann", func(p *Person) error { p.Addresses["phone"] = "+49 30 1234567"; return nil })
		require.NoError(t, err)
	}
	bob, err := s.Create(Person{Login: "bob", Name: "Bob"})
	require.NoError(t, err)
	id, err := s.Forget("ann")
	require.NoError(t, err)
	require.Equal(t, made.ID, id)
	require.Equal(t, "former user "+id, s.Name(id))
	require.Equal(t, id, s.Login(id))
	_, ok := s.ByLogin("ann")
	require.False(t, ok)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, word := range []string{"Ann", "Berg", "ann.berg", "1234567", "Berlin"} {
		require.NotContains(t, string(text), word)
	}
	again, err := s.Create(ann())
	require.NoError(t, err, "the table goes on")
	require.NotEqual(t, id, again.ID, "somebody of that login is somebody else now")
	require.NoError(t, s.Close())
	s = open(t, path)
	require.Equal(t, "former user "+id, s.Name(id))
	require.Equal(t, []Person{again, bob}, s.List())
	_, err = s.Forget("nobody")
	require.ErrorIs(t, err, ErrUnknown)
}

func TestANameThatActsGetsAnOpaqueIdAndKeepsItWhenItIsListed(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "people.db"))
	id, err := s.Actor("ann")
	require.NoError(t, err)
	again, err := s.Actor("ann")
	require.NoError(t, err)
	require.Equal(t, id, again)
	same, err := s.Actor(id)
	require.NoError(t, err)
	require.Equal(t, id, same, "an id stays as it is")
	require.Equal(t, "ann", s.Name(id))
	require.Empty(t, s.List(), "who was only seen is not listed")
	made, err := s.Create(ann())
	require.NoError(t, err)
	require.Equal(t, id, made.ID)
	require.Equal(t, "Ann Berg", s.Name(id))
	_, err = s.Actor("no such\nname")
	require.ErrorIs(t, err, ErrInvalid)
	_, err = s.Actor("Ann Berg, Zürich")
	require.NoError(t, err, "certificates call people so")
}

func TestARunThatEndedAmidForgettingLeavesTheOldTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "people.db")
	s := open(t, path)
	made, err := s.Create(ann())
	require.NoError(t, err)
	require.NoError(t, s.Close())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path+".fresh", text[:100], 0o600))
	s = open(t, path)
	require.NoFileExists(t, path+".fresh")
	require.Equal(t, "Ann Berg", s.Name(made.ID))
	_, err = s.Forget("ann")
	require.NoError(t, err)
	require.NoFileExists(t, path+".fresh")
}

func TestATableThatCannotBeWrittenAnewForgetsNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "people.db")
	s := open(t, path)
	_, err := s.Create(ann())
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(path+".fresh", 0o700))
	_, err = s.Forget("ann")
	require.ErrorContains(t, err, "people: ")
	_, ok := s.ByLogin("ann")
	require.True(t, ok, "and may be asked again")
	require.NoError(t, os.Remove(path+".fresh"))
	_, err = s.Forget("ann")
	require.NoError(t, err)
}

func TestPeopleAreFoundByLoginIdAndAName(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "people.db"))
	made, err := s.Create(ann())
	require.NoError(t, err)
	for _, name := range []string{"ann", made.ID, "Ann Berg"} {
		id, ok := s.Find(name)
		require.True(t, ok, name)
		require.Equal(t, made.ID, id)
	}
	_, err = s.Create(Person{Login: "ann2", Name: "Ann Berg"})
	require.NoError(t, err)
	_, ok := s.Find("Ann Berg")
	require.False(t, ok, "two have that name")
	_, ok = s.Find("nobody")
	require.False(t, ok)
	other, err := s.Actor("Ann Berg")
	require.NoError(t, err)
	require.NotEqual(t, made.ID, other, "who proves a name is not the person that is called so")
}

func TestWhatAPersonMayDoByOtherProofThanAToken(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "people.db"))
	_, listed := s.Grants("ann")
	require.False(t, listed)
	_, err := s.Actor("ann")
	require.NoError(t, err)
	_, listed = s.Grants("ann")
	require.False(t, listed, "who was only seen is not listed")
	_, err = s.Create(ann())
	require.NoError(t, err)
	grants, listed := s.Grants("ann")
	require.True(t, listed)
	require.Equal(t, ann().Grants, grants)
	_, err = s.Update("ann", func(p *Person) error { p.Disabled = true; return nil })
	require.NoError(t, err)
	grants, listed = s.Grants("ann")
	require.True(t, listed)
	require.Empty(t, grants)
}

func TestWhatCannotBeIsRefused(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "people.db"))
	for _, p := range []Person{
		{Login: ""}, {Login: "u-abc"}, {Login: "a b"}, {Login: "a", Zone: "Mars/Olympus"}, {Login: "a", Addresses: map[string]string{"email": "x"}},
		{Login: "a", Addresses: map[string]string{"email": "x@y\r\nBcc: z@y"}}, {Login: "a", Grants: []auth.Grant{{Tenant: "main"}}},
		{Login: "a", Grants: []auth.Grant{{Role: auth.Admin, Tenant: "*"}}}, {Login: "a", Grants: []auth.Grant{{Role: auth.Viewer, Tenant: "main", Teams: []string{" "}}}},
		{Login: "a", Name: "A\x1b[2J"},
	} {
		_, err := s.Create(p)
		require.ErrorIs(t, err, ErrInvalid, "%+v", p)
	}
	_, err := s.Update("nobody", func(*Person) error { return nil })
	require.ErrorIs(t, err, ErrUnknown)
	_, err = s.NewToken("nobody", "x", time.Time{})
	require.ErrorIs(t, err, ErrUnknown)
}

func TestOnlyAnAdminsTokenEndsTheTrustInLoopback(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "people.db"))
	_, err := s.Create(ann())
	require.NoError(t, err)
	_, err = s.NewToken("ann", "x", time.Time{})
	require.NoError(t, err)
	require.False(t, s.HasAdmin())
	_, err = s.Update("ann", func(p *Person) error { p.Grants = []auth.Grant{{Role: auth.Admin, Tenant: "main"}}; return nil })
	require.NoError(t, err)
	require.True(t, s.HasAdmin())
}
