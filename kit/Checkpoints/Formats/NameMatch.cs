using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>Which tensor of a checkpoint fills which of a model.</summary>
internal static class NameMatch
{
    private const int MostProblems = 10;   // in one message

    /// <summary>The file's name for each of the model's, but for those that files may lack.</summary>
    /// <param name="model">What is to be filled, for the error.</param>
    /// <param name="own">Its parameters and buffers by name.</param>
    /// <param name="reader">What is to fill it.</param>
    /// <param name="rules">How their names belong together.</param>
    /// <exception cref="InvalidDataException">
    /// Names that are missing or unexpected, shapes or dtypes that differ: all of them.
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
