// Package lowrank finds the leading singular vectors of matrices that are too
// big to hold: a matrix is something that gives its rows when asked, in any
// order, and it is asked for all of them once or twice a step. One that is in
// memory ([Held], [Dense]) is read where it is.
//
// # Method
//
// [Decompose] is randomized block Krylov iteration with full
// reorthogonalization (Musco and Musco, https://arxiv.org/abs/1504.05477). With
// M = DᵀD it grows an orthonormal basis V of span{X, MX, M²X, …} from a random
// block X that is only about a quarter as wide as the rank that is asked for: for
// the same number of products small blocks reach higher powers of M and converge
// faster (Chen, Epperly, Meyer, Musco, Rao, https://arxiv.org/abs/2508.06486). A
// new random direction in every block finds what is left of singular values of
// which there are more than a block is wide.
// The eigenpairs of VᵀMV are estimates from below of the squared singular
// values. After every step the energy they capture is compared with that of the
// steps before, and the iteration stops as soon as what it can still gain is
// below the tolerance, see [Options].
//
// One panel of rows of D serves both products of a step, Y = D·X and DᵀY, while
// it is in the cache, so that a step reads D once. Matrices far wider than tall
// use M = DDᵀ instead, with two reads a step, so that the basis is short.
//
// [Decomposition.Factor] then makes D ≈ L·R: L = D·V, which the steps have
// computed already in other coordinates, scaled and rounded to what
// will be stored, and R the least-squares solution (LᵀL)⁻¹LᵀD for that rounded
// L, so that only the rounding of R is left. That is half a step of iteration
// more. The error of the result is that of the numbers after rounding; see
// [Factors].
//
// # Promises
//
// The random numbers are a function of the name of the matrix. Every sum has one
// order: panels and blocks have sizes that depend on the shape alone, and work
// is only ever divided where the division can't show. So results have the same
// bits for any number of workers and any memory.
package lowrank
