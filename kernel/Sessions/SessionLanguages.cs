using ResearchKit.Kernel.Languages;

namespace ResearchKit.Kernel.Sessions;

/// <summary>The languages of a session, by name.</summary>
internal sealed class SessionLanguages(IReadOnlyList<ILanguage> all) : IDisposable
{
    public IReadOnlyList<ILanguage> All => all;

    /// <summary>Returns the language of a name or alias, ignoring case; null if there is none.</summary>
    public ILanguage? Find(string name) => all.FirstOrDefault(language =>
        language.Name.Equals(name, StringComparison.OrdinalIgnoreCase)
            || language.Aliases.Contains(name, StringComparer.OrdinalIgnoreCase));

    /// <summary>Returns the language of a name or alias.</summary>
    /// <exception cref="ArgumentException">There is no such language.</exception>
    public ILanguage Require(string name) =>
        Find(name) ?? throw new ArgumentException($"'{name}' is no language of this kernel; known: {Names(_ => true)}.");

    /// <summary>Returns the variables of a language.</summary>
    /// <exception cref="ArgumentException">There is no such language, or it has no variables.</exception>
    public IVariables Variables(string name) => Require(name) as IVariables
        ?? throw new ArgumentException($"The language {name} has no variables; these languages have: "
            + $"{Names(other => other is IVariables)}.");

    public void Dispose()
    {
        foreach (var language in all.OfType<IDisposable>()) language.Dispose();
    }

    private string Names(Func<ILanguage, bool> which) => string.Join(", ", all.Where(which).Select(language => language.Name));
}
