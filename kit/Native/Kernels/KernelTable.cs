using System.Globalization;

namespace ResearchKit.Native;

/// <summary>The kernel that was chosen for an operation, with the measurements.</summary>
/// <param name="Operation">Name of the operation, such as <c>linear-256</c>: a product of 256 rows.</param>
/// <param name="Kernel">Name of the kernel, such as <c>onednn</c>.</param>
/// <param name="Gain">Time of libtorch's own kernel divided by that of the alternative; NaN where it was not
/// measured.</param>
/// <param name="Error">Largest difference of the chosen kernel from float64, relative to the largest value; NaN
/// where it was not measured.</param>
public sealed record KernelChoice(string Operation, string Kernel, double Gain = double.NaN, double Error = double.NaN)
{
    /// <summary>Reason for the choice, in words.</summary>
    public string Reason => (double.IsNaN(Gain), double.IsNaN(Error)) switch
    {
        (true, true) => "not measured",
        (true, false) => string.Create(CultureInfo.InvariantCulture, $"error {Error:0e0}"),
        (false, true) => Times,
        _ => string.Create(CultureInfo.InvariantCulture, $"{Times}, error {Error:0e0}"),
    };

    private string Times => string.Create(CultureInfo.InvariantCulture,
        $"the alternative takes {1 / Gain:0.00} of the default's time");

    /// <inheritdoc/>
    public override string ToString() => $"{Operation}={Kernel}";
}

/// <summary>
/// The native kernels that a process uses for products and convolutions. The last bits of results depend on
/// them.
/// </summary>
/// <remarks>
/// Its text, such as <c>mkl=default linear-256=onednn …</c>, is part of the run record. Pass it to a later run
/// with <c>RESEARCHKIT_KERNELS</c> or <c>researchkit run --kernels</c>, to get the same bits on the same
/// processor.
/// </remarks>
public sealed record KernelTable
{
    internal const string Mkl = "mkl", MklDefault = "default", MklIntel = "intel", OneDnn = "onednn", Columns = "columns",
        Libtorch = "libtorch", Float32 = "float32",
        OneRow = "linear-1", FewRows = "linear-4", SomeRows = "linear-64", ManyRows = "linear-256", InputGradient = "linear-dx",
            WeightGradient = "linear-dw",
        PackedOneRow = "packed-1", PackedFewRows = "packed-4", PackedManyRows = "packed-256",
        Token = "packed-token", Kit = "kit",
        Convolution = "convolution", BFloat16Product = "bf16-linear", BFloat16Convolution = "bf16-convolution";

    /// <summary>The known kernels of each operation; the first is libtorch's own choice.</summary>
    internal static readonly IReadOnlyDictionary<string, string[]> Known = new Dictionary<string, string[]>
    {
        [Mkl] = [MklDefault, MklIntel],
        [OneRow] = [Mkl, OneDnn],
        [FewRows] = [Mkl, OneDnn],
        [SomeRows] = [Mkl, OneDnn],
        [ManyRows] = [Mkl, OneDnn],
        [InputGradient] = [Mkl, OneDnn],
        [WeightGradient] = [Mkl, OneDnn],
        [PackedOneRow] = [Mkl, OneDnn],
        [PackedFewRows] = [Mkl, OneDnn],
        [PackedManyRows] = [Mkl, OneDnn],
        [Token] = [Libtorch, Kit],
        [Convolution] = [OneDnn, Columns],
        [BFloat16Product] = [Libtorch, Float32],
        [BFloat16Convolution] = [Libtorch, Float32],
    };

    /// <summary>libtorch's own choice for every operation.</summary>
    public static KernelTable Defaults { get; } =
        new() { Choices = [.. Known.Select(one => new KernelChoice(one.Key, one.Value[0]))], Source = "libtorch's own paths" };

    /// <summary>One choice for each operation.</summary>
    public required IReadOnlyList<KernelChoice> Choices { get; init; }

    /// <summary>Origin of the choices, in words.</summary>
    public string Source { get; init; } = "given";

    /// <summary>Returns the kernel of an operation.</summary>
    internal string this[string operation] => Choices.First(choice => choice.Operation == operation).Kernel;

    internal KernelTable With(KernelChoice choice) =>
        this with { Choices = [.. Choices.Select(one => one.Operation == choice.Operation ? choice : one)] };

    /// <summary>
    /// Parses the text that <see cref="ToString"/> returns. Operations that it does not name keep libtorch's own
    /// kernel.
    /// </summary>
    /// <exception cref="FormatException">The text names an unknown operation or kernel.</exception>
    public static KernelTable Parse(string text)
    {
        var table = Defaults with { Source = "given" };
        foreach (var part in text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (part.Split('=') is not [var operation, var kernel] || !Known.TryGetValue(operation, out var kernels)
                || !kernels.Contains(kernel))
                throw new FormatException($"'{part}' names no kernel; expected one of "
                    + $"{string.Join(", ", Known.Select(one => $"{one.Key}={string.Join('|', one.Value)}"))}.");
            table = table.With(new KernelChoice(operation, kernel));
        }
        return table;
    }

    /// <summary>
    /// Returns each operation's kernel with the reason, and the origin of the choices, as in the run record.
    /// </summary>
    public IReadOnlyDictionary<string, string> Described() =>
        Choices.Select(choice => (choice.Operation, $"{choice.Kernel}: {choice.Reason}"))
        .Append(("source", Source)).ToDictionary(pair => pair.Item1, pair => pair.Item2);

    /// <summary>Returns the table that <see cref="Described"/> describes.</summary>
    /// <exception cref="FormatException">The description names an unknown operation or kernel.</exception>
    public static KernelTable FromDescription(IReadOnlyDictionary<string, string> description)
    {
        ArgumentNullException.ThrowIfNull(description);
        return Parse(string.Join(' ', description.Where(pair => pair.Key != "source")
            .Select(pair => $"{pair.Key}={pair.Value.Split(':')[0]}")));
    }

    /// <summary>
    /// Returns the index of each operation's kernel, in the order of <see cref="Known"/>, to be sent to other
    /// processes.
    /// </summary>
    internal long[] Numbers() => [.. Known.Select(one => (long)Array.IndexOf(one.Value, this[one.Key]))];

    internal static KernelTable FromNumbers(IReadOnlyList<long> numbers) => Defaults with
    {
        Choices = [.. Known.Select((one, place) => new KernelChoice(one.Key, one.Value[numbers[place]]))],
        Source = "the first process's",
    };

    /// <summary>Whether both tables choose the same kernels; the measurements are not compared.</summary>
    public bool ChoosesAs(KernelTable other) => ToString() == other.ToString();

    /// <summary>Returns the kernels by operation, as <see cref="Parse"/> reads them.</summary>
    public override string ToString() => string.Join(' ', Choices);
}
