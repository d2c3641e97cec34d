namespace ResearchKit.Kernel.Languages.FSharp;

/// <summary>Carries a value into F# under a type that F# can name; not to be used by hand.</summary>
/// <param name="value">The value; may be null.</param>
public sealed class SharedValue<T>(T value)
{
    /// <summary>The value.</summary>
    public T Value => value;
}

/// <summary>Finds the type under which a value enters F#.</summary>
internal static class SharedValue
{
    /// <summary>Whether F# can see the type: public, and of a file; what cells declare lies in no file.</summary>
    public static bool IsSeen(Type type) =>
        type.HasElementType ? type.IsArray && IsSeen(type.GetElementType()!)
        : type.IsVisible && type.Assembly.Location.Length > 0 && type.GetGenericArguments().All(IsSeen);

    /// <summary>
    /// A carrier for a value whose own type F# cannot see: of its nearest base, or else of an interface such as a sequence.
    /// </summary>
    public static object Carry(object? value) =>
        Activator.CreateInstance(typeof(SharedValue<>).MakeGenericType(Nearest(value?.GetType())), value)!;

    private static Type Nearest(Type? own)
    {
        for (var type = own; type is not null && type != typeof(object); type = type.BaseType)
            if (IsSeen(type)) return type;
        var generic = own?.GetInterfaces().Where(type => type.IsGenericType && IsSeen(type)).ToList() ?? [];
        return generic.FirstOrDefault(type => !generic.Any(other => other != type && type.IsAssignableFrom(other)))
            ?? typeof(object);
    }
}
