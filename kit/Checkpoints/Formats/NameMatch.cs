using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>Matches the tensor names of a checkpoint with those of a model.</summary>
internal sealed class NameMatch
{
    private const int MostProblems = 10;   // listed in one message
    private readonly IReadOnlyDictionary<string, Tensor> own;
    private readonly CheckpointReader reader;
    private readonly NameRules rules;
    private readonly NameTolerance tolerance;

    private NameMatch(IReadOnlyDictionary<string, Tensor> own, CheckpointReader reader, NameRules rules, NameTolerance tolerance)
    {
        this.own = own;
        this.reader = reader;
        this.rules = rules;
        this.tolerance = tolerance;
    }

    /// <summary>
    /// Finds the file's name for each tensor of the model. If the names do not fit as they are, the beginnings that wrappers add
    /// are taken off.
    /// </summary>
    /// <param name="model">The model's name, for error messages.</param>
    /// <param name="own">The model's parameters and buffers by name.</param>
    /// <param name="reader">The checkpoint.</param>
    /// <param name="rules">Rules that relate the file's names to the model's.</param>
    /// <param name="tolerance">Which differences are accepted.</param>
    /// <exception cref="InvalidDataException">
    /// Names are missing or unexpected, or shapes or dtypes differ; the message lists the problems.
    /// </exception>
    public static NameMatching Find(string model, IReadOnlyDictionary<string, Tensor> own,
        CheckpointReader reader, NameRules rules, NameTolerance tolerance)
    {
        var match = new NameMatch(own, reader, rules, tolerance);
        var best = match.Without("");
        if (best.Problems.Count == 0) return best;
        var fitting = new List<NameMatching>();
        foreach (var prefix in WrapperNames.Prefixes(reader.Entries.Keys.Select(match.Clean), own.Count / 2))
        {
            // the architecture's own prefix is no wrapper: without it, unexpected names would pass
            if (rules.Prefix.Length > 0 && prefix.EndsWith(rules.Prefix, StringComparison.Ordinal)) continue;
            var attempt = match.Without(prefix);
            if (attempt.Problems.Count == 0) fitting.Add(attempt);
            else if (attempt.Problems.Count < best.Problems.Count) best = attempt;
        }
        var most = fitting.Count == 0 ? 0 : fitting.Max(attempt => attempt.Files.Count);
        fitting.RemoveAll(attempt => attempt.Files.Count < most);
        if (fitting.Count == 1) return fitting[0];
        throw new InvalidDataException(fitting.Count > 1
            ? $"{reader.Path} holds several models: names that begin with "
                + $"{string.Join(" and with ", fitting.Select(attempt => attempt.Prefix))} fit {model}; keep one of them."
            : match.Describe(model, best));
    }

    /// <summary>Matches the names that begin with a prefix, without it; the others are left out.</summary>
    private NameMatching Without(string prefix)
    {
        var result = new NameMatching();
        var aliases = new Dictionary<string, string>();
        foreach (var file in reader.Entries.Keys)
        {
            var name = Clean(file);
            if (name != file) result.Prefix ??= WrapperNames.In(file);
            if (name.StartsWith(prefix, StringComparison.Ordinal)) Place(result, aliases, file, name[prefix.Length..]);
            else result.LeftOut.Add(file);
        }
        if (prefix.Length > 0) result.Prefix = result.Prefix + prefix;
        FindMissing(result, aliases);
        CompareSizes(result);
        return result;
    }

    private void Place(NameMatching result, Dictionary<string, string> aliases, string file, string name)
    {
        var bare = rules.WithoutPrefix(name);
        if (rules.Candidates(name).FirstOrDefault(own.ContainsKey) is { } found)
        {
            if (!result.Files.TryAdd(found, file))
                result.Problems.Add((found, $"{result.Files[found]} and {file} are the same tensor {found}"));
        }
        else if (rules.Tied.Any(pair => pair.Alias == bare || pair.Source == bare)) aliases[bare] = file;
        else if (rules.Ignores(name)) result.LeftOut.Add(file);
        else result.Problems.Add((null, $"{file} is unexpected"));
    }

    private void FindMissing(NameMatching result, Dictionary<string, string> aliases)
    {
        var bare = result.Files.ToDictionary(pair => rules.WithoutPrefix(pair.Key), pair => pair.Value);
        foreach (var name in own.Keys.Where(name => !result.Files.ContainsKey(name)).ToList())
        {
            var partner = rules.TiedNames(name).Select(other => bare.GetValueOrDefault(other) ?? aliases.GetValueOrDefault(other))
                .FirstOrDefault(file => file is not null);
            if (partner is not null) result.Files.Add(name, partner);
            else if (tolerance.MayBeNew(name)) result.New.Add((name, "missing in the file"));
            else if (!rules.IsOptional(name)) result.Problems.Add((name, $"{name} is missing{InItsPlace(name)}"));
        }
    }

    private void CompareSizes(NameMatching result)
    {
        foreach (var (name, file) in result.Files.ToList())
        {
            var entry = reader.Entries[file];
            if (CheckpointReader.Mismatch(entry, own[name]) is not { } why) continue;
            var sizesDiffer = !own[name].shape.SequenceEqual(entry.Shape);
            if (sizesDiffer && tolerance.MayBeResized(name)) result.Resized.Add(name);
            else if (sizesDiffer && (tolerance.IgnoreMismatched || tolerance.MayBeNew(name)))
            {
                result.Files.Remove(name);
                result.New.Add((name, $"[{string.Join(", ", entry.Shape)}] in the file"));
            }
            else result.Problems.Add((name, $"{name} {why}"));
        }
    }

    /// <summary>Returns a name without wrappers, if it is not one of the model's as it is.</summary>
    private string Clean(string file) => WrapperNames.Clean(file, name => rules.Candidates(name).Any(own.ContainsKey));

    private string InItsPlace(string name)
    {
        foreach (var (file, what) in reader.PassedOver)
            if (rules.Candidates(Clean(file)).Contains(name)) return $" (the file has {what} in its place)";
        return "";
    }

    private string Describe(string model, NameMatching best)
    {
        var problems = best.Problems.Select(pair => pair.Problem).ToList();
        var advice = tolerance.Advice(best.Problems.Select(pair => pair.Name).OfType<string>());
        return $"{reader.Path} does not fit the model {model}"
            + (best.Prefix is null ? "" : $" (with '{best.Prefix}' taken off the names)")
            + $": {string.Join("; ", problems.Take(MostProblems))}"
            + (problems.Count > MostProblems ? $"; and {problems.Count - MostProblems} more." : ".")
            + (advice is null ? "" : $" {advice}");
    }
}
