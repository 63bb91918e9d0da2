package lowrank

import "sync"

// A Team is a number of workers that several decompositions share. Each of them
// runs in a goroutine of its own and is helped by whoever is idle, so that many
// small matrices are done side by side and a single large one by all together.
type Team struct {
	idle chan struct{} // holds one entry for each worker without work
}

// NewTeam returns a team of so many workers, all idle but the one that calls.
func NewTeam(workers int) *Team {
	t := &Team{idle: make(chan struct{}, max(workers, 1))}
	for range workers - 1 {
		t.idle <- struct{}{}
	}
	return t
}

// Leave tells the team that the caller has nothing to do for the moment, which
// ends with [Team.Join].
func (t *Team) Leave() { t.idle <- struct{}{} }

// Join waits until a worker is idle, which then is the caller.
func (t *Team) Join() { <-t.idle }

func (t *Team) tryJoin() bool {
	select {
	case <-t.idle:
		return true
	default:
		return false
	}
}

// Each calls f(0) to f(n-1), some of them at the same time if workers are idle,
// and returns when all have returned.
func (t *Team) Each(n int, f func(i int)) {
	var (
		wg   sync.WaitGroup
		next = make(chan int, n)
	)
	for i := range n {
		next <- i
	}
	close(next)
	work := func() {
		for i := range next {
			f(i)
		}
	}
	for i := 1; i < n && t.tryJoin(); i++ {
		wg.Go(func() {
			work()
			t.Leave()
		})
	}
	work()
	wg.Wait()
}

// Ranges calls f with consecutive ranges of [0, n), about as many as there are
// workers, that begin at multiples of align.
func (t *Team) Ranges(n, align int, f func(lo, hi int)) {
	units := (n + align - 1) / align
	parts := min(units, cap(t.idle))
	t.Each(parts, func(i int) {
		f(units*i/parts*align, min(n, units*(i+1)/parts*align))
	})
}
