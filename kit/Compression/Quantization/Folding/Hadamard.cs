using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Hadamard matrices: square matrices of +1 and −1 whose rows are orthogonal, H Hᵀ = n I.</summary>
/// <remarks>
/// Sylvester's doubling on top of Paley's two constructions over prime fields (1933): orders 1 and 2, and multiples of 4 such as
/// 12 (hence 768 = 12 · 64), 20, 28, 36, 44 and 60, times any power of two.
/// </remarks>
public static class Hadamard
{
    /// <summary>Whether there is a construction for an order.</summary>
    public static bool Exists(int order) => order >= 1 && Base(order) is not null;

    /// <summary>Makes the matrix of an order. Its first column is all ones.</summary>
    /// <param name="order">Number of rows, n.</param>
    /// <returns>float32 [n, n]; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">There is no construction for the order.</exception>
    public static Tensor Matrix(int order)
    {
        if (order < 1 || Base(order) is not { } start)
            throw new ArgumentException($"No Hadamard matrix of order {order} is known here; it must be 1, 2, or a multiple of 4 "
                + "such as 12, 20 or 28 times a power of two.", nameof(order));
        using var scope = NewDisposeScope();
        var matrix = start.Make();
        while (matrix.shape[0] < order) matrix = kron(matrix, tensor(new float[,] { { 1, 1 }, { 1, -1 } }));
        return (matrix * matrix.narrow(1, 0, 1)).MoveToOuterDisposeScope();
    }

    /// <summary>The largest order that is no doubling, and how its matrix is made.</summary>
    private static (int Order, Func<Tensor> Make)? Base(int order)
    {
        for (var rest = order; ; rest /= 2)
        {
            if (rest <= 2) return (rest, () => rest == 1 ? ones(1, 1) : tensor(new float[,] { { 1, 1 }, { 1, -1 } }));
            if (rest % 4 != 0) return null;
            if (rest % 4 == 0 && IsPrime(rest - 1)) return (rest, () => Paley(rest - 1));
            if (IsPrime((rest / 2) - 1) && ((rest / 2) - 1) % 4 == 1) return (rest, () => SymmetricPaley((rest / 2) - 1));
        }
    }

    /// <summary>Paley's first construction, for a prime of the form 4k + 3: the identity plus a skew matrix.</summary>
    private static Tensor Paley(int prime)
    {
        var skew = Bordered(prime, -1);
        return skew + eye(prime + 1);
    }

    /// <summary>Paley's second construction, for a prime of the form 4k + 1, of order 2 (prime + 1).</summary>
    private static Tensor SymmetricPaley(int prime) =>
        kron(Bordered(prime, 1), tensor(new float[,] { { 1, 1 }, { 1, -1 } }))
        + kron(eye(prime + 1), tensor(new float[,] { { 1, -1 }, { -1, -1 } }));

    /// <summary>Quadratic characters of differences, with a border of ones above and of a number on the left.</summary>
    private static Tensor Bordered(int prime, float left)
    {
        var squares = Enumerable.Range(1, prime - 1).Select(value => (int)((long)value * value % prime)).ToHashSet();
        var made = zeros(prime + 1, prime + 1);
        var rows = new float[prime, prime];
        for (var row = 0; row < prime; row++)
            for (var column = 0; column < prime; column++)
                rows[row, column] = row == column ? 0 : squares.Contains((row - column + prime) % prime) ? 1 : -1;
        made.narrow(0, 1, prime).narrow(1, 1, prime).copy_(tensor(rows));
        made.narrow(0, 0, 1).narrow(1, 1, prime).fill_(1);
        made.narrow(0, 1, prime).narrow(1, 0, 1).fill_(left);
        return made;
    }

    private static bool IsPrime(int number)
    {
        if (number < 2) return false;
        for (var divisor = 2; (long)divisor * divisor <= number; divisor++)
            if (number % divisor == 0) return false;
        return true;
    }
}
