using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>Matches the tensor names of a checkpoint with those of a model.</summary>
internal static class NameMatch
{
    private const int MostProblems = 10;   // listed in one message

    /// <summary>
    /// Maps each tensor name of the model to the file's name for it. Optional names that the file lacks are left
    /// out.
    /// </summary>
    /// <param name="model">The model's name, for error messages.</param>
    /// <param name="own">The model's parameters and buffers by name.</param>
    /// <param name="reader">The checkpoint.</param>
    /// <param name="rules">Rules that relate the file's names to the model's.</param>
    /// <exception cref="InvalidDataException">
    /// Names are missing or unexpected, or shapes or dtypes differ; the message lists the problems.
    /// </exception>
    public static Dictionary<string, string> Find(string model, IReadOnlyDictionary<string, Tensor> own,
        CheckpointReader reader, NameRules rules)
    {
        var match = new Dictionary<string, string>();
        var aliases = new Dictionary<string, string>();
        var problems = new List<string>();
        foreach (var file in reader.Entries.Keys)
        {
            if (rules.Candidates(file).FirstOrDefault(own.ContainsKey) is { } name)
            {
                if (!match.TryAdd(name, file)) problems.Add($"{match[name]} and {file} are the same tensor {name}");
            }
            else if (rules.Tied.Any(pair => pair.Alias == rules.WithoutPrefix(file) || pair.Source == rules.WithoutPrefix(file)))
                aliases[rules.WithoutPrefix(file)] = file;
            else if (!rules.Ignores(file)) problems.Add($"{file} is unexpected");
        }
        var bare = match.ToDictionary(pair => rules.WithoutPrefix(pair.Key), pair => pair.Value);
        foreach (var name in own.Keys.Where(name => !match.ContainsKey(name)).ToList())
        {
            var partner = rules.TiedNames(name).Select(other => bare.GetValueOrDefault(other) ?? aliases.GetValueOrDefault(other))
                .FirstOrDefault(file => file is not null);
            if (partner is not null) match.Add(name, partner);
            else if (!rules.IsOptional(name)) problems.Add($"{name} is missing");
        }
        problems.AddRange(match.Select(
            pair => (Name: pair.Key, Why: CheckpointReader.Mismatch(reader.Entries[pair.Value], own[pair.Key])))
            .Where(pair => pair.Why is not null).Select(pair => $"{pair.Name} {pair.Why}"));
        return problems.Count == 0 ? match : throw new InvalidDataException(
            $"{reader.Path} does not fit the model {model}: {string.Join("; ", problems.Take(MostProblems))}"
            + (problems.Count > MostProblems ? $"; and {problems.Count - MostProblems} more." : "."));
    }
}
