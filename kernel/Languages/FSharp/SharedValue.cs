namespace ResearchKit.Kernel.Languages.FSharp;

/// <summary>Wraps a value for F# with a type that F# can name; for internal use.</summary>
/// <param name="value">The value; may be null.</param>
public sealed class SharedValue<T>(T value)
{
    /// <summary>The value.</summary>
    public T Value => value;
}

/// <summary>Chooses the type with which a value is passed to F#.</summary>
internal static class SharedValue
{
    /// <summary>
    /// Returns whether F# can see a type: it must be public and in an assembly file, unlike types that cells
    /// declare.
    /// </summary>
    public static bool IsSeen(Type type) =>
        type.HasElementType ? type.IsArray && IsSeen(type.GetElementType()!)
        : type.IsVisible && type.Assembly.Location.Length > 0 && type.GetGenericArguments().All(IsSeen);

    /// <summary>
    /// Wraps a value whose own type F# cannot see, as its nearest visible base type, or else as a generic interface
    /// such as a sequence.
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
