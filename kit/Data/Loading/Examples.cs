using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>
/// Examples made of other examples. Nothing is copied: they are fetched from their source when they are asked for.
/// </summary>
public static class Examples
{
    /// <summary>Some of the examples, in the order of the numbers; a number may occur more than once.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no example of a number.</exception>
    public static IExamples Subset(this IExamples examples, IReadOnlyList<long> numbers)
    {
        ArgumentNullException.ThrowIfNull(examples);
        ArgumentNullException.ThrowIfNull(numbers);
        foreach (var number in numbers)
            if (number < 0 || number >= examples.Count)
                throw new ArgumentOutOfRangeException(nameof(numbers), number, $"There are {examples.Count} examples, from 0.");
        return new Mapped(numbers.Count, (asked, draws) => examples.Get([.. asked.Select(number => numbers[(int)number])],
            draws));
    }

    /// <summary>
    /// The examples of several sources, one source after the other. Their tensors have the same names and, but for the first
    /// axis, the same shapes.
    /// </summary>
    /// <exception cref="ArgumentException">There is no source.</exception>
    public static IExamples Concat(params IReadOnlyList<IExamples> sources)
    {
        if (sources.Count == 0) throw new ArgumentException("There is no source; expected at least one.", nameof(sources));
        return new Mapped(sources.Sum(source => source.Count), (numbers, draws) =>
            Joined([.. numbers.Select(number => Place(sources, number))], draws));
    }

    /// <summary>
    /// The examples with a change that is made when they are fetched, on the loader's thread: an augmentation, a normalization.
    /// </summary>
    /// <param name="examples">The source.</param>
    /// <param name="change">From a batch and the numbers of its examples to a batch. It owns the batch it is given.</param>
    public static IExamples Map(this IExamples examples, Func<Batch, IReadOnlyList<long>, Batch> change)
    {
        ArgumentNullException.ThrowIfNull(examples);
        ArgumentNullException.ThrowIfNull(change);
        return new Mapped(examples.Count, (numbers, draws) => change(examples.Get(numbers, draws), numbers));
    }

    /// <summary>The examples that fulfil a condition, which is asked once for each of them, here.</summary>
    /// <param name="examples">The source.</param>
    /// <param name="keep">Asked with a batch of the one example.</param>
    public static IExamples Filter(this IExamples examples, Func<Batch, bool> keep)
    {
        ArgumentNullException.ThrowIfNull(examples);
        ArgumentNullException.ThrowIfNull(keep);
        var kept = new List<long>();
        for (var number = 0L; number < examples.Count; number++)
        {
            using var one = examples.Fetch([number]);
            if (keep(one)) kept.Add(number);
        }
        return examples.Subset(kept);
    }

    /// <summary>Divides the examples for cross-validation: each is in the test part of exactly one fold.</summary>
    /// <param name="examples">The source.</param>
    /// <param name="folds">Number of folds, from 2 to the number of examples.</param>
    /// <param name="seed">Seed of the division.</param>
    /// <exception cref="ArgumentException">The number of folds is out of range.</exception>
    public static IReadOnlyList<(IExamples Train, IExamples Test)> KFold(this IExamples examples, int folds, int seed = 1337)
    {
        ArgumentNullException.ThrowIfNull(examples);
        Require.That(folds >= 2 && folds <= examples.Count, folds, nameof(folds), $"from 2 to the {examples.Count} examples");
        var order = new long[examples.Count];
        for (var i = 0; i < order.Length; i++) order[i] = i;
        Shuffle.InPlace(order, seed, 0);
        return [.. Enumerable.Range(0, folds).Select(fold => (
            examples.Subset([.. order.Where((_, place) => place % folds != fold)]),
            examples.Subset([.. order.Where((_, place) => place % folds == fold)])))];
    }

    /// <summary>
    /// Weights that make every class as likely as any other in a <see cref="BatchLoader"/>: 1 over the number of its examples.
    /// </summary>
    /// <param name="labels">int64 [examples], a class for each.</param>
    public static IReadOnlyList<double> BalancedWeights(Tensor labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        using var here = labels.cpu().to(int64);
        var classes = here.data<long>().ToArray();
        var counts = classes.CountBy(label => label).ToDictionary();
        return [.. classes.Select(label => 1.0 / counts[label])];
    }

    private static (IExamples Source, long Number) Place(IReadOnlyList<IExamples> sources, long number)
    {
        foreach (var source in sources)
        {
            if (number < source.Count) return (source, number);
            number -= source.Count;
        }
        throw new ArgumentOutOfRangeException(nameof(number), number, "There are fewer examples.");
    }

    /// <summary>One fetch for each run of neighbours from the same source, then one batch of all.</summary>
    private static Batch Joined(IReadOnlyList<(IExamples Source, long Number)> places, IReadOnlyList<long>? draws)
    {
        var parts = new List<Batch>();
        for (var first = 0; first < places.Count;)
        {
            var last = first + 1;
            while (last < places.Count && places[last].Source == places[first].Source) last++;
            parts.Add(places[first].Source.Get([.. places.Skip(first).Take(last - first).Select(place => place.Number)],
                draws is null ? null : [.. draws.Skip(first).Take(last - first)]));
            first = last;
        }
        if (parts.Count == 1) return parts[0];
        var joined = new Batch(parts[0].Names.ToDictionary(name => name, name => cat([.. parts.Select(part => part[name])], 0)));
        foreach (var part in parts) part.Dispose();
        return joined;
    }

    /// <summary>Fetches for training if there are draws, else without random changes.</summary>
    private static Batch Get(this IExamples examples, IReadOnlyList<long> numbers, IReadOnlyList<long>? draws) =>
        draws is null ? examples.Fetch(numbers) : examples.Fetch(numbers, draws);

    private sealed class Mapped(long count, Func<IReadOnlyList<long>, IReadOnlyList<long>?, Batch> fetch) : IExamples
    {
        public long Count => count;

        public Batch Fetch(IReadOnlyList<long> numbers) => fetch(numbers, null);

        public Batch Fetch(IReadOnlyList<long> numbers, IReadOnlyList<long> draws) => fetch(numbers, draws);
    }
}
