using ResearchKit.Native;

namespace ResearchKit.Tests;

/// <summary>Other native kernels while it lives.</summary>
internal sealed class TestKernels : IDisposable
{
    private readonly KernelTable before = Compute.Kernels;

    /// <param name="changes">What differs from the kernels in use, such as <c>linear-256=onednn convolution=columns</c>.</param>
    public TestKernels(string changes) => Take(changes);

    /// <summary>Takes other ones, beside those taken by now.</summary>
    public static void Take(string changes) =>
        Compute.Kernels = changes.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(change => change.Split('='))
            .Aggregate(Compute.Kernels, (table, change) => table.With(new KernelChoice(change[0], change[1])));

    /// <summary>All products by oneDNN where it is there, or all by MKL.</summary>
    public static string Products(bool oneDnn) =>
        string.Join(' ', new[] { KernelTable.OneRow, KernelTable.FewRows, KernelTable.SomeRows, KernelTable.ManyRows,
        KernelTable.InputGradient, KernelTable.WeightGradient }.Select(operation =>
            $"{operation}={(oneDnn && OneDnnLinear.IsThere ? KernelTable.OneDnn : KernelTable.Mkl)}"));

    public void Dispose() => Compute.Kernels = before;
}
