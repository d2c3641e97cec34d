using System.Globalization;

namespace ResearchKit.Training;

/// <summary>One set of values of a hyperparameter search, with the folder of its run.</summary>
/// <param name="Number">Number of the trial, from 0.</param>
/// <param name="Seed">Seed of its run; the search has set it when it asks for the trainer.</param>
/// <param name="Settings">The values, by the name of the setting.</param>
/// <param name="Folder">Folder of its record and checkpoints.</param>
public sealed record Trial(int Number, int Seed, IReadOnlyDictionary<string, object> Settings, string Folder)
{
    /// <summary>A setting: <c>trial.Get&lt;double&gt;("rate")</c>.</summary>
    /// <typeparam name="T">The type of the value; whole numbers become others without loss.</typeparam>
    /// <exception cref="KeyNotFoundException">There is none of that name; the message lists those there are.</exception>
    public T Get<T>(string name)
    {
        if (!Settings.TryGetValue(name, out var value))
            throw new KeyNotFoundException($"The search has no setting '{name}'; it has {string.Join(", ", Settings.Keys)}.");
        return value is T same ? same : (T)Convert.ChangeType(value, typeof(T), CultureInfo.InvariantCulture);
    }

    /// <summary>Options of checkpoints in the trial's folder, from which an interrupted search goes on.</summary>
    /// <param name="every">Number of steps between checkpoints.</param>
    public CheckpointOptions Checkpoints(int every = 500) => new(Path.Combine(Folder, "checkpoints"), every) { Keep = 1 };

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"trial {Number}: {Text(Settings)}");

    internal static string Text(IReadOnlyDictionary<string, object> settings) =>
        string.Join(", ", settings.Select(one => $"{one.Key} {Text(one.Value)}"));

    internal static string Text(object value) =>
        value is double number ? number.ToString("g4", CultureInfo.InvariantCulture)
            : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
}

/// <summary>How far a trial came, and how good it was.</summary>
/// <param name="Trial">The trial.</param>
/// <param name="Steps">Steps that its run took.</param>
/// <param name="Value">Best held-out value so far; NaN if it diverged.</param>
/// <param name="Status">One of <see cref="RunStatusNames"/>.</param>
public sealed record TrialResult(Trial Trial, int Steps, double Value, string Status)
{
    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Trial}: {Value:0.0000} after {Steps} steps ({Status})");
}
